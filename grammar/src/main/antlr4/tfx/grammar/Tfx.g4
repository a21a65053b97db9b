/* The grammar of tfx source files. Precedence is Python's; `#` begins a comment. */
grammar Tfx;

file: item* EOF;

item
    : importItem
    | functionItem
    | recordItem
    | modelItem
    | programItem
    | constantItem
    ;

importItem: 'import' (NAME | STRING) ';';

constantItem: NAME '=' expression ';';

functionItem: 'def' NAME '(' parameters? ')' block;

parameters: parameter (',' parameter)* ','?;

parameter: NAME (':' type)? ('=' expression)?;

/* `f32[B, S, D]`, `tokens[B, S*]`, `int`, `Block(d, ff)[layers]` */
type: NAME ('(' arguments? ')')? ('[' (size (',' size)*)? ']')?;

size: expression STAR?;

recordItem: 'record' NAME '(' parameters? ')' '{' field* '}';

field: NAME (',' NAME)* ':' type ('from' STRING)? ';';

modelItem: 'model' NAME '(' parameters? ')' '{' member* '}';

member
    : 'weights' STRING '{' field* '}'           # weightsMember
    | 'tokenizer' STRING ('limit' NUMBER)? ';'  # tokenizerMember
    | programItem                               # programMember
    | functionItem                              # functionMember
    ;

programItem: 'program' NAME '(' parameters? ')' ('->' '(' result (',' result)* ')')? block;

result: NAME (':' type)?;

block: '{' statement* '}';

statement
    : targets '=' expressions ';'                         # assign
    | 'return' expressions ';'                            # return
    | 'for' NAME (',' NAME)* 'in' expression block        # for
    | 'if' expression block ('else' (chain=ifTail | block))?  # if
    | functionItem                                        # localFunction
    | expression ';'                                      # evaluate
    ;

ifTail: 'if' expression block ('else' (chain=ifTail | block))?;

targets: NAME (',' NAME)*;

expressions: expression (',' expression)*;

expression: disjunction ('if' disjunction 'else' expression)?;

disjunction: conjunction ('or' conjunction)*;

conjunction: negation ('and' negation)*;

negation: 'not' negation | comparison;

comparison: sum (comparator sum)*;

comparator: '==' | '!=' | '<=' | '>=' | '<' | '>';

sum: product (('+' | '-') product)*;

product: unary ((STAR | '/' | '//' | '%' | '@') unary)*;

unary: '-' unary | power;

power: postfix ('^' unary)?;

postfix: atom suffix*;

suffix
    : '(' arguments? ')'    # call
    | '[' subscript (',' subscript)* ']'  # index
    | '.' NAME              # access
    ;

subscript
    : from=expression? ':' to=expression? (':' step=expression?)?
    | '...'
    | expression
    ;

arguments: argument (',' argument)* ','?;

argument: (NAME '=')? expression | comparator;

atom
    : NUMBER                                                         # number
    | STRING                                                         # string
    | 'True'                                                         # true
    | 'False'                                                        # false
    | 'none'                                                         # none
    | NAME                                                           # name
    | '(' expression ')'                                             # group
    | '[' expression 'for' NAME (',' NAME)* 'in' expression ']'      # comprehension
    | '[' (expression (',' expression)* ','?)? ']'                   # list
    ;

STAR: '*';
NUMBER: [0-9]+ ('.' [0-9]+)? ([eE] [+-]? [0-9]+)?;
STRING: '"' (~["\\\r\n] | '\\' .)* '"';
NAME: [A-Za-z_] [A-Za-z_0-9]*;
COMMENT: '#' ~[\r\n]* -> skip;
SPACE: [ \t\r\n]+ -> skip;
ERROR: .;
