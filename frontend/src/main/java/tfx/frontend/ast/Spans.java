package tfx.frontend.ast;

import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import tfx.ir.Source;
import tfx.ir.Span;

/// Where in a source what ANTLR found stands.
record Spans(Source source) {
    Span of(ParserRuleContext context) {
        Token stop = context.getStop() == null ? context.getStart() : context.getStop();
        int start = context.getStart().getStartIndex();
        return new Span(source, start, Math.max(start, stop.getStopIndex() + 1));
    }

    Span of(Token token) {
        return new Span(source, token.getStartIndex(), token.getStopIndex() + 1);
    }
}
