/* The RASP dialect. Alternatives of `expression` stand in the order in which they bind, tightest first, and every
   operator groups from the left: the language of "Thinking Like Transformers" as its own tools read it. A name that
   reads input or shapes it (`select(`, `len(`) is one word with its bracket, so that `select` alone is a name. */
grammar Rasp;

file: (statement | command)* EOF;

statement
    : expression ';'                                                        # evaluate
    | names '=' expressions ';'                                             # assign
    | 'draw' '(' what=expression (',' input=expression)? ')' ';'            # draw
    | 'load' STRING ';'                                                     # load
    | 'def' NAME '(' names? ')' '{' statement* 'return' expressions ';' '}' # define
    | 'for' names 'in' expression '{' statement* '}'                        # for
    ;

command
    : 'set' subset=('s-op' | 'selector')? 'example' expression      # setExample
    | 'show' subset=('s-op' | 'selector')? 'example'                # showExample
    | subset=('s-op' | 'selector')? 'examples' switch=('on' | 'off') # switchExamples
    | 'full seq display' switch=('on' | 'off')                      # switchDisplay
    | ('exit' | 'exit()' | 'quit' | 'quit()')                       # leave
    ;

names: NAME (',' NAME)*;

expressions: expression (',' expression)*;

entry: key=expression ':' value=expression;

expression
    : '(' expression ')'                                                    # group
    | value=expression '[' index=expression ']'                             # index
    | function=expression '(' expressions? ')'                              # call
    | operator=('not' | '-' | '+') expression                               # prefix
    | operator=('round' | 'indicator') '(' expression ')'                   # wrapped
    | expression operator='^' expression                                    # infix
    | expression operator=('*' | '/') expression                            # infix
    | expression operator='%' expression                                    # infix
    | expression operator=('+' | '-') expression                            # infix
    | expression operator=('==' | '<=' | '>=' | '>' | '<') expression       # compare
    | 'select(' key=expression ',' query=expression ',' comparator ')'      # select
    | expression operator=('and' | 'or') expression                         # infix
    | then=expression 'if' condition=expression 'else' otherwise=expression # conditional
    | NAME                                                                  # name
    | WHOLE                                                                 # whole
    | REAL                                                                  # real
    | STRING                                                                # string
    | '[' expressions? ']'                                                  # list
    | '{' (entry (',' entry)*)? '}'                                         # dict
    | operator=('aggregate(' | 'range(' | 'zip(' | 'len(') expressions ')'  # builtin
    | '[' value=expression 'for' names 'in' iterable=expression ']'         # comprehension
    | '{' entry 'for' names 'in' iterable=expression '}'                    # dictComprehension
    | item=expression 'in' container=expression                             # contains
    ;

comparator: '==' | '!=' | '<=' | '>=' | '<' | '>';

REAL: WHOLE '.' WHOLE;
WHOLE: [0-9]+;
STRING: '"' ~["\r\n]* '"';
NAME: [A-Za-z_] [A-Za-z_0-9]*;
COMMENT: '#' ~[\r\n]* -> skip;
SPACE: [ \t\r\n]+ -> skip;
ERROR: .;
