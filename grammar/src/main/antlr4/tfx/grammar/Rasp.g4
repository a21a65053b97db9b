/* The RASP dialect: the language of "Thinking Like Transformers" as its own tools read it. From `expression` down
   operators bind tighter, and all group from the left, also `^` and the conditional. A function of the language with its
   bracket (`select(`, `len(`) is one word, so that `select` alone is a name. */
grammar Rasp;

file: (statement | command)* EOF;

/* What is typed into a REPL: an example may be any expression there, since nothing follows it. */
line
    : 'set' subset=('s-op' | 'selector')? 'example' expression EOF  # exampleLine
    | (statement | command)* EOF                                    # statementLine
    ;

statement
    : expression ';'                                                        # evaluate
    | names '=' expressions ';'                                             # assign
    | 'draw' '(' what=expression (',' input=expression)? ')' ';'            # draw
    | 'load' STRING ';'                                                     # load
    | 'def' NAME '(' names? ')' '{' statement* 'return' expressions ';' '}' # define
    | 'for' names 'in' expression '{' statement* '}'                        # for
    ;

command
    : 'set' subset=('s-op' | 'selector')? 'example' atom            # setExample
    | 'show' subset=('s-op' | 'selector')? 'example'                # showExample
    | subset=('s-op' | 'selector')? 'examples' switch=('on' | 'off') # switchExamples
    | 'full seq display' switch=('on' | 'off')                      # switchDisplay
    | ('exit' | 'exit()' | 'quit' | 'quit()')                       # leave
    ;

names: NAME (',' NAME)*;

expressions: expression (',' expression)*;

entry: key=expression ':' value=expression;

expression: conditional ('in' conditional)*;

conditional: logical ('if' expression 'else' logical)*;

logical: comparison (operators+=('and' | 'or') comparison)*;

comparison: sum (operators+=('==' | '<=' | '>=' | '>' | '<') sum)*;

sum: remainder (operators+=('+' | '-') remainder)*;

remainder: product (operators+='%' product)*;

product: power (operators+=('*' | '/') power)*;

power: prefix (operators+='^' prefix)*;

prefix: operator=('not' | '-' | '+') prefix | postfix;

postfix: atom suffix*;

suffix
    : '[' expression ']'    # index
    | '(' expressions? ')'  # call
    ;

atom
    : '(' expression ')'                                                    # group
    | operator=('round' | 'indicator') '(' expression ')'                   # wrapped
    | 'select(' key=expression ',' query=expression ',' comparator ')'      # select
    | operator=('aggregate(' | 'range(' | 'zip(' | 'len(') expressions ')'  # builtin
    | NAME                                                                  # name
    | WHOLE                                                                 # whole
    | REAL                                                                  # real
    | STRING                                                                # string
    | '[' expressions? ']'                                                  # list
    | '[' value=expression 'for' names 'in' iterable=expression ']'         # comprehension
    | '{' (entry (',' entry)*)? '}'                                         # dict
    | '{' entry 'for' names 'in' iterable=expression '}'                    # dictComprehension
    ;

comparator: '==' | '!=' | '<=' | '>=' | '<' | '>';

REAL: WHOLE '.' WHOLE;
WHOLE: [0-9]+;
STRING: '"' ~["\r\n]* '"';
NAME: [A-Za-z_] [A-Za-z_0-9]*;
COMMENT: '#' ~[\r\n]* -> skip;
SPACE: [ \t\r\n]+ -> skip;
ERROR: .;
