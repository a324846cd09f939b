//! Which comments and documentation belong to which statement. Goes through the text once, in order.

use crate::ast::{Stmt, StmtKind};
use crate::scan::Comment;

/// What stands before a statement.
#[derive(Default)]
struct Lead {
    comments: Vec<String>,
    doc: Vec<String>,
}

/// A walk over the comments of a text.
pub(crate) struct Margin<'t> {
    text: &'t str,
    comments: &'t [Comment],
    /// Where the last statement or comment ended.
    end: usize,
    /// Whether anything stands above: a blank line at the top is none.
    top: bool,
}

impl<'t> Margin<'t> {
    pub(crate) fn new(text: &'t str, comments: &'t [Comment]) -> Margin<'t> {
        Margin { text, comments, end: 0, top: true }
    }

    /// Gives a statement the comments around it. Must be called in order of the text.
    pub(crate) fn attach(&mut self, stmt: &mut Stmt, clean: &str) {
        let mut lead = self.before(stmt.span.start);
        if let StmtKind::Fn { body, block: true, .. } = &mut stmt.kind {
            let head = clean.get(stmt.span.start..stmt.span.end).and_then(|text| text.find('{'));
            self.inside(&mut lead, stmt.span.start + head.unwrap_or(0));
            self.top = true;
            for line in body {
                self.attach(line, clean);
            }
        }
        self.inside(&mut lead, stmt.span.end);
        self.end = stmt.span.end;
        self.top = false;
        (stmt.comments, stmt.doc) = (lead.comments, lead.doc);
        stmt.after = self.after();
    }

    /// Passes over a statement that could not be read, with its comments.
    pub(crate) fn skip(&mut self, end: usize) {
        self.inside(&mut Lead::default(), end);
        self.end = end;
        self.top = false;
    }

    /// What remains after the last statement, documentation of nothing included.
    pub(crate) fn trailing(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(comment) = self.next(self.text.len()) {
            if self.blank_line(comment.span.start) {
                lines.push(String::new());
            }
            lines.push(self.written(comment));
            self.end = comment.span.end;
            self.top = false;
        }
        lines
    }

    /// The comments up to a statement, with their blank lines.
    fn before(&mut self, start: usize) -> Lead {
        let mut lead = Lead::default();
        while let Some(comment) = self.next(start) {
            if lead.doc.is_empty() && self.blank_line(comment.span.start) {
                lead.comments.push(String::new());
            }
            self.take(&mut lead, comment);
            self.end = comment.span.end;
            self.top = false;
        }
        if lead.doc.is_empty() && self.blank_line(start) {
            lead.comments.push(String::new());
        }
        lead
    }

    /// The comments within a statement go before it.
    fn inside(&mut self, lead: &mut Lead, end: usize) {
        while let Some(comment) = self.next(end) {
            self.take(lead, comment);
            self.end = comment.span.end;
        }
    }

    /// The comment that closes the line on which a statement ended.
    fn after(&mut self) -> Option<String> {
        let comment = self.comments.first().filter(|comment| !comment.doc)?;
        let between = self.text.get(self.end..comment.span.start)?;
        let text = self.written(comment);
        let rest = self.text.get(comment.span.end..)?.split('\n').next()?;
        let closes = comment.line || (!text.contains('\n') && rest.trim().is_empty());
        if between.contains('\n') || !closes {
            return None;
        }
        self.comments = self.comments.get(1..)?;
        self.end = comment.span.end;
        Some(text)
    }

    fn next(&mut self, before: usize) -> Option<&'t Comment> {
        let (first, rest) = self.comments.split_first()?;
        if first.span.start >= before {
            return None;
        }
        self.comments = rest;
        Some(first)
    }

    fn take(&self, lead: &mut Lead, comment: &Comment) {
        let text = self.written(comment);
        if !comment.doc {
            return lead.comments.push(text);
        }
        let line = text.strip_prefix("///").unwrap_or(&text);
        lead.doc.push(line.strip_prefix(' ').unwrap_or(line).to_owned());
    }

    fn written(&self, comment: &Comment) -> String {
        self.text.get(comment.span.start..comment.span.end).unwrap_or("").trim_end().to_owned()
    }

    /// Whether a blank line separates what came last from a place.
    fn blank_line(&self, place: usize) -> bool {
        let gap = self.text.get(self.end..place).unwrap_or("");
        !self.top && gap.bytes().filter(|&byte| byte == b'\n').count() > 1
    }
}
