package tfx.ir.sequence;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import tfx.ir.BinaryFn;
import tfx.ir.InternalError;

/// Functions of atoms, which s-ops apply at each position. A row says what it is called, what it does, and which
/// kinds it gives for which.
public enum AtomFn {
    NEG("-", 1) {
        @Override
        Atom of(Atom a, Atom b) {
            return Numbers.neg(a);
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return arithmetic(a, a);
        }
    },
    POS("+", 1) {
        @Override
        Atom of(Atom a, Atom b) {
            return Numbers.pos(a);
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return arithmetic(a, a);
        }
    },
    ROUND("round", 1) {
        @Override
        Atom of(Atom a, Atom b) {
            return Numbers.round(a);
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return a.isNumber() ? EnumSet.of(Kind.WHOLE) : NONE;
        }
    },
    NOT("not", 1) {
        @Override
        Atom of(Atom a, Atom b) {
            return Atom.of(!Numbers.truth(a));
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return EnumSet.of(Kind.TRUTH);
        }
    },
    INDICATOR("indicator", 1) {
        @Override
        Atom of(Atom a, Atom b) {
            return Atom.of(Numbers.truth(a) ? 1 : 0);
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return EnumSet.of(Kind.WHOLE);
        }
    },
    ADD("+", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            return Numbers.add(a, b);
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return a == Kind.TEXT && b == Kind.TEXT ? EnumSet.of(Kind.TEXT) : arithmetic(a, b);
        }
    },
    SUB("-", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            return Numbers.sub(a, b);
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return arithmetic(a, b);
        }
    },
    MUL("*", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            return Numbers.mul(a, b);
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            boolean repeats = a == Kind.TEXT && b.isNumber() && b != Kind.REAL
                    || b == Kind.TEXT && a.isNumber() && a != Kind.REAL;
            return repeats ? EnumSet.of(Kind.TEXT) : arithmetic(a, b);
        }
    },
    DIV("/", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            return Numbers.div(a, b);
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return a.isNumber() && b.isNumber() ? EnumSet.of(Kind.REAL) : NONE;
        }
    },
    MOD("%", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            return Numbers.mod(a, b);
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return arithmetic(a, b);
        }
    },
    POW("^", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            return Numbers.pow(a, b);
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            Set<Kind> plain = arithmetic(a, b);
            return plain.contains(Kind.WHOLE) ? EnumSet.of(Kind.WHOLE, Kind.REAL) : plain;
        }
    },
    AND("and", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            return Atom.of(Numbers.truth(a) && Numbers.truth(b));
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return EnumSet.of(Kind.TRUTH);
        }
    },
    OR("or", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            return Atom.of(Numbers.truth(a) || Numbers.truth(b));
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return EnumSet.of(Kind.TRUTH);
        }
    },
    EQ("==", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            return Atom.of(Numbers.same(a, b));
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return EnumSet.of(Kind.TRUTH);
        }
    },
    NE("!=", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            return Atom.of(!Numbers.same(a, b));
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return EnumSet.of(Kind.TRUTH);
        }
    },
    LT("<", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            int order = Numbers.compare(text(), a, b);
            return Atom.of(order < 0 && !Numbers.unordered(a, b));
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return ordered(a, b);
        }
    },
    LE("<=", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            int order = Numbers.compare(text(), a, b);
            return Atom.of(order <= 0 && !Numbers.unordered(a, b));
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return ordered(a, b);
        }
    },
    GT(">", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            int order = Numbers.compare(text(), a, b);
            return Atom.of(order > 0 && !Numbers.unordered(a, b));
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return ordered(a, b);
        }
    },
    GE(">=", 2) {
        @Override
        Atom of(Atom a, Atom b) {
            int order = Numbers.compare(text(), a, b);
            return Atom.of(order >= 0 && !Numbers.unordered(a, b));
        }

        @Override
        Set<Kind> kinds(Kind a, Kind b) {
            return ordered(a, b);
        }
    };

    private static final Set<Kind> NONE = Set.of();

    private final String text;
    private final int arity;

    AtomFn(String text, int arity) {
        this.text = text;
        this.arity = arity;
    }

    public String text() {
        return text;
    }

    public int arity() {
        return arity;
    }

    /// The value; a function of one atom takes it twice.
    abstract Atom of(Atom a, Atom b);

    /// What kinds the value can have; none where the function is not defined.
    abstract Set<Kind> kinds(Kind a, Kind b);

    /// @throws SequenceError where the function is not defined on these atoms
    public Atom apply(List<Atom> atoms) {
        return of(atoms.getFirst(), atoms.getLast());
    }

    /// The kinds of the values for arguments of any of these kinds; empty where all of them fail.
    public Set<Kind> kinds(List<Set<Kind>> arguments) {
        EnumSet<Kind> all = EnumSet.noneOf(Kind.class);
        for (Kind a : arguments.getFirst()) {
            for (Kind b : arguments.getLast()) {
                all.addAll(kinds(a, b));
            }
        }
        return all;
    }

    /// The comparison of atoms that has the name of one of tensors.
    public static AtomFn comparison(BinaryFn fn) {
        return switch (fn) {
            case EQ -> EQ;
            case NE -> NE;
            case LT -> LT;
            case LE -> LE;
            case GT -> GT;
            case GE -> GE;
            default -> throw new InternalError(fn + " compares nothing");
        };
    }

    private static Set<Kind> arithmetic(Kind a, Kind b) {
        if (!a.isNumber() || !b.isNumber()) {
            return NONE;
        }
        return EnumSet.of(a == Kind.REAL || b == Kind.REAL ? Kind.REAL : Kind.WHOLE);
    }

    private static Set<Kind> ordered(Kind a, Kind b) {
        return a.isNumber() == b.isNumber() ? EnumSet.of(Kind.TRUTH) : NONE;
    }
}
