package tfx.compiler;

import java.util.ArrayList;
import java.util.List;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Numbers;
import tfx.runtime.RunException;

/// What an s-op that gives the next token has made of some tokens.
///
/// @param tokens what was made, without the end token
/// @param ended  whether the end token came
public record Generation(List<Atom> tokens, boolean ended) {
    /// Appends the value at the last position, until it is the end token.
    ///
    /// @param prompt the tokens to begin with, at least one
    /// @param most   how many tokens to make at most
    /// @throws RunException where the program fails on what there is so far
    public static Generation run(SequenceSession next, List<Atom> prompt, Atom end, int most) {
        List<Atom> all = new ArrayList<>(prompt);
        while (all.size() < prompt.size() + most) {
            Atom token = next.run(all).getFirst().getLast();
            if (Numbers.same(token, end)) {
                return new Generation(List.copyOf(all.subList(prompt.size(), all.size())), true);
            }
            all.add(token);
        }
        return new Generation(List.copyOf(all.subList(prompt.size(), all.size())), false);
    }
}
