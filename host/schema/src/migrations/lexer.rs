//! Cuts SQL text into statements, as far as lexical rules go (PostgreSQL documentation, 4.1
//! "Lexical Structure").
//! Never: understands a statement beyond its first words.

/// One statement, without its semicolon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    /// The byte of the text where it begins.
    pub(super) start: usize,
    /// From its first word to its last character.
    pub(super) text: &'a str,
}

/// Something that is opened and never closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub(super) what: &'static str,
    /// The byte where it was opened.
    pub(super) start: usize,
}

/// The statements of `text`; comments between them belong to none.
pub(super) fn statements(text: &str) -> Result<Vec<Statement<'_>>, Unclosed> {
    let mut cutter = Cutter::new(text);
    while let Some(token) = cutter.next_token()? {
        cutter.take(token);
    }
    cutter.finish()
}

/// The first `limit` words, quoted names and signs of a statement, without comments. A literal is
/// one of them.
pub(super) fn tokens(statement: &str, limit: usize) -> Vec<&str> {
    let mut cutter = Cutter::new(statement);
    let mut spans: Vec<(usize, usize)> = Vec::new();
    // What is never closed was refused when the file was read.
    while let Ok(Some(token)) = cutter.next_token() {
        let quote = statement.get(token.start..).is_some_and(|rest| rest.starts_with('"'));
        let full = spans.len() == limit;
        match spans.last_mut() {
            // A doubled quote, which the cutter takes for an end and a beginning.
            Some((start, end))
                if quote
                    && *end == token.start
                    && statement.as_bytes().get(*start) == Some(&b'"') =>
            {
                *end = token.end;
            }
            _ if full => break,
            _ if token.kind != Kind::Nothing => spans.push((token.start, token.end)),
            _ => {}
        }
    }
    spans.into_iter().filter_map(|(start, end)| statement.get(start..end)).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Spaces and comments.
    Nothing,
    Word,
    Open,
    Close,
    Semicolon,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
    done: Vec<Statement<'a>>,
    /// Of the current statement: its first and last byte so far.
    span: Option<(usize, usize)>,
    /// Its first words, in lower case.
    words: Vec<String>,
    /// Where each open parenthesis is.
    parentheses: Vec<usize>,
    /// Where each open `begin` or `case` of a function body in SQL is.
    blocks: Vec<usize>,
}

impl<'a> Cutter<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            done: Vec::new(),
            span: None,
            words: Vec::new(),
            parentheses: Vec::new(),
            blocks: Vec::new(),
        }
    }

    fn take(&mut self, token: Token) {
        match token.kind {
            Kind::Nothing => return,
            Kind::Semicolon if self.parentheses.is_empty() && self.blocks.is_empty() => {
                self.cut();
                return;
            }
            Kind::Open => self.parentheses.push(token.start),
            Kind::Close => drop(self.parentheses.pop()),
            Kind::Word => self.take_word(token),
            Kind::Semicolon | Kind::Other => {}
        }
        let start = self.span.map_or(token.start, |(start, _)| start);
        self.span = Some((start, token.end));
    }

    /// The body of `create function … begin atomic … end` has semicolons of its own.
    fn take_word(&mut self, token: Token) {
        let word = self.text.get(token.start..token.end).unwrap_or_default().to_ascii_lowercase();
        if self.parentheses.is_empty() && self.creates_routine() {
            match word.as_str() {
                "begin" => self.blocks.push(token.start),
                "case" if !self.blocks.is_empty() => self.blocks.push(token.start),
                "end" => drop(self.blocks.pop()),
                _ => {}
            }
        }
        if self.words.len() < 4 {
            self.words.push(word);
        }
    }

    fn creates_routine(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        matches!(
            words.as_slice(),
            ["create", "function" | "procedure", ..]
                | ["create", "or", "replace", "function" | "procedure", ..]
        )
    }

    fn cut(&mut self) {
        if let Some((start, end)) = self.span.take() {
            let text = self.text.get(start..end).unwrap_or_default();
            self.done.push(Statement { start, text });
        }
        self.words.clear();
    }

    fn finish(mut self) -> Result<Vec<Statement<'a>>, Unclosed> {
        if let Some(start) = self.parentheses.first().copied() {
            return Err(Unclosed { what: "a parenthesis", start });
        }
        if let Some(start) = self.blocks.first().copied() {
            return Err(Unclosed { what: "a `begin atomic`", start });
        }
        self.cut();
        Ok(self.done)
    }

    fn next_token(&mut self) -> Result<Option<Token>, Unclosed> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let (kind, length) = scan(rest, first).map_err(|what| Unclosed { what, start })?;
        self.at = start + length;
        Ok(Some(Token { kind, start, end: self.at }))
    }
}

/// The kind and the length in bytes of the token that `rest` begins with.
fn scan(rest: &str, first: char) -> Result<(Kind, usize), &'static str> {
    let one = first.len_utf8();
    Ok(match first {
        c if c.is_whitespace() => (Kind::Nothing, one),
        '-' if rest.starts_with("--") => (Kind::Nothing, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (Kind::Nothing, comment(rest).ok_or("a comment")?),
        '\'' => (Kind::Other, quoted(rest, '\'', Escapes::Doubled).ok_or("a quote")?),
        '"' => (Kind::Other, quoted(rest, '"', Escapes::Doubled).ok_or("a quoted name")?),
        'e' | 'E' if rest.get(1..2) == Some("'") => {
            let body = rest.get(1..).unwrap_or_default();
            let length = quoted(body, '\'', Escapes::Backslash).ok_or("a quote")?;
            (Kind::Other, 1 + length)
        }
        '$' => match dollar_tag(rest) {
            Some(tag) => (Kind::Other, dollar_quoted(rest, tag).ok_or("a dollar quote")?),
            None => (Kind::Other, one),
        },
        c if is_word_start(c) => {
            let end = rest.find(|c: char| !is_word_start(c) && !c.is_ascii_digit() && c != '$');
            (Kind::Word, end.unwrap_or(rest.len()))
        }
        // A number takes its letters along (`1e5`), so that they do not start a quote or a word.
        c if c.is_ascii_digit() => {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            (Kind::Other, end.unwrap_or(rest.len()))
        }
        '(' => (Kind::Open, one),
        ')' => (Kind::Close, one),
        ';' => (Kind::Semicolon, one),
        _ => (Kind::Other, one),
    })
}

fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

/// `/* … */`, which nest in Postgres.
fn comment(rest: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let here = rest.get(at..)?;
        let next = here.find(['/', '*'])?;
        let here = here.get(next..)?;
        at += next;
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// A doubled quote; it looks like the end and the next beginning, and may be read so.
    Doubled,
    /// Also `\'`.
    Backslash,
}

fn quoted(rest: &str, quote: char, escapes: Escapes) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        if c == quote {
            return Some(at + 1);
        }
        if c == '\\' && escapes == Escapes::Backslash {
            characters.next();
        }
    }
    None
}

/// `$$` or `$tag$`; a tag is a word without a dollar sign.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest.get(1..)?.find('$')? + 1;
    let tag = rest.get(1..end)?;
    let word = tag.chars().all(|c| is_word_start(c) || c.is_ascii_digit())
        && !tag.starts_with(|c: char| c.is_ascii_digit());
    if word { rest.get(..=end) } else { None }
}

fn dollar_quoted(rest: &str, tag: &str) -> Option<usize> {
    let body = rest.get(tag.len()..)?;
    Some(tag.len() + body.find(tag)? + tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        statements(text).unwrap().into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn statements_end_at_semicolons_and_at_the_end() {
        assert_eq!(cut("select 1; ;\n select 2"), ["select 1", "select 2"]);
        assert_eq!(cut(" -- only a comment\n/* and ; another */"), [""; 0]);
    }

    #[test]
    fn a_semicolon_inside_of_something_ends_nothing() {
        for text in [
            "select ';', \"a;b\", 'it''s;'",
            r"select e'\';' , E'a\\'",
            r"select '\', 1",
            "select $$ ; $$ , $a$ ; $$ ; $a$",
            "select 1 -- ;\n , 2",
            "select 1 /* ; /* ; */ ; */ , 2",
            "create rule r as on insert to t do also (select 1; select 2)",
        ] {
            assert_eq!(cut(&format!("{text};select 0")), [text, "select 0"]);
        }
    }

    #[test]
    fn the_body_of_a_function_in_sql_is_one_statement_with_it() {
        let body = "create or replace function f() returns int\nbegin atomic\n select case when \
                    true then 1 end; select 2;\nend";
        assert_eq!(cut(&format!("{body}; select 0")), [body, "select 0"]);
        let procedure = "create procedure p() begin atomic insert into t values (1); end";
        assert_eq!(cut(&format!("{procedure};")), [procedure]);
        // Elsewhere the words mean something else.
        assert_eq!(cut("begin; select case when a then b end; end;").len(), 3);
    }

    #[test]
    fn parameters_and_names_with_dollars_are_no_quotes() {
        assert_eq!(cut("select $1; select a$b$c; select $2").len(), 3);
        assert_eq!(cut("select 1e'x'").len(), 1);
    }

    #[test]
    fn what_is_never_closed_is_told_with_its_place() {
        let what = |text| statements(text).unwrap_err();
        assert_eq!(what("select 'a"), Unclosed { what: "a quote", start: 7 });
        assert_eq!(what("select 1; /* /* */"), Unclosed { what: "a comment", start: 10 });
        assert_eq!(what("select $x$ $$"), Unclosed { what: "a dollar quote", start: 7 });
        assert_eq!(what("select (1;"), Unclosed { what: "a parenthesis", start: 7 });
        assert_eq!(what("select \"a"), Unclosed { what: "a quoted name", start: 7 });
    }

    #[test]
    fn a_statement_knows_where_it_begins() {
        let text = "-- ä\nselect 1;\n\n  select 2;";
        let found = statements(text).unwrap();
        assert_eq!(found[1].start, text.find("select 2").unwrap());
    }
}
