//! Rust as words: names and signs, without comments, texts and what exists in tests only.

/// A word of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or a keyword.
    Name(String),
    /// `::`, which joins the parts of a path.
    Joint,
    /// Any other sign.
    Sign(char),
    /// A text, a letter, a number or a lifetime: nothing in it is a name.
    Literal,
}

impl Token {
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn is(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }
}

/// Splits a source file into its words.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < letters.len() {
        let (token, next) = token(&letters, at);
        tokens.extend(token);
        at = next;
    }
    tokens
}

/// The word that begins here, if one does, and where the next may begin.
fn token(letters: &[char], at: usize) -> (Option<Token>, usize) {
    let next = |offset: usize| letters.get(at + offset).copied().unwrap_or(' ');
    match letters[at] {
        '/' if next(1) == '/' => (None, line_end(letters, at)),
        '/' if next(1) == '*' => (None, comment_end(letters, at)),
        ':' if next(1) == ':' => (Some(Token::Joint), at + 2),
        '"' => (Some(Token::Literal), text_end(letters, at + 1)),
        '\'' => (Some(Token::Literal), letter_or_lifetime_end(letters, at)),
        'b' | 'r' | 'c' if raw_hashes(letters, at).is_some() => {
            let (hashes, start) = raw_hashes(letters, at).expect("it was found");
            (Some(Token::Literal), raw_end(letters, start, hashes))
        }
        'b' | 'c' if next(1) == '"' => (Some(Token::Literal), text_end(letters, at + 2)),
        'b' if next(1) == '\'' => (Some(Token::Literal), letter_or_lifetime_end(letters, at + 1)),
        digit if digit.is_ascii_digit() => (Some(Token::Literal), name_end(letters, at)),
        letter if is_name(letter) => {
            let end = name_end(letters, at);
            (Some(Token::Name(letters[at..end].iter().collect())), end)
        }
        space if space.is_whitespace() => (None, at + 1),
        sign => (Some(Token::Sign(sign)), at + 1),
    }
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn name_end(letters: &[char], start: usize) -> usize {
    letters[start..]
        .iter()
        .position(|letter| !is_name(*letter))
        .map_or(letters.len(), |length| start + length)
}

fn line_end(letters: &[char], start: usize) -> usize {
    letters[start..].iter().position(|letter| *letter == '\n').map_or(letters.len(), |length| start + length)
}

/// Comments may stand within each other.
fn comment_end(letters: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at + 1 < letters.len() {
        match (letters[at], letters[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    letters.len()
}

fn text_end(letters: &[char], start: usize) -> usize {
    let mut at = start;
    while at < letters.len() {
        match letters[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    letters.len()
}

/// `'x'` and `'\n'` end with a quote, `'a` does not.
fn letter_or_lifetime_end(letters: &[char], quote: usize) -> usize {
    let next = |offset: usize| letters.get(quote + offset).copied();
    if next(1) == Some('\\') {
        let rest = letters.iter().skip(quote + 3).position(|letter| *letter == '\'');
        return rest.map_or(letters.len(), |length| quote + 3 + length + 1);
    }
    if next(2) == Some('\'') { quote + 3 } else { name_end(letters, quote + 1) }
}

/// For `r#"…"#` and its like: how many hashes, and where the text begins.
fn raw_hashes(letters: &[char], start: usize) -> Option<(usize, usize)> {
    let raw = start + usize::from(letters[start] != 'r');
    if letters.get(raw) != Some(&'r') {
        return None;
    }
    let hashes = letters[raw + 1..].iter().take_while(|letter| **letter == '#').count();
    let quote = raw + 1 + hashes;
    (letters.get(quote) == Some(&'"')).then_some((hashes, quote + 1))
}

fn raw_end(letters: &[char], start: usize, hashes: usize) -> usize {
    let closes = |at: &usize| {
        letters[*at] == '"' && letters[at + 1..].iter().take(hashes).filter(|l| **l == '#').count() == hashes
    };
    (start..letters.len()).find(closes).map_or(letters.len(), |quote| quote + 1 + hashes)
}

/// What is left without the things that exist in tests only, and the modules among these that are files.
pub(crate) fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
    let (mut left, mut modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        match attribute(tokens, at) {
            Some(end) if is_for_tests(&tokens[at + 2..end - 1]) => {
                let thing = skip_attributes(tokens, end);
                modules.extend(declared_module(&tokens[thing..]));
                at = thing_end(tokens, thing);
            }
            Some(end) => at = end,
            None => {
                left.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    (left, modules)
}

/// Where the attribute ends that begins here, if one does: `#[…]` or `#![…]`.
fn attribute(tokens: &[Token], at: usize) -> Option<usize> {
    if !tokens[at].is('#') {
        return None;
    }
    let open = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|token| token.is('!')));
    tokens.get(open).filter(|token| token.is('['))?;
    Some(group_end(tokens, open))
}

fn skip_attributes(tokens: &[Token], start: usize) -> usize {
    let mut at = start;
    while let Some(end) = tokens.get(at).and_then(|_| attribute(tokens, at)) {
        at = end;
    }
    at
}

/// Where the group ends whose bracket opens here.
fn group_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// Whether these are the inside of an attribute by which something is there in tests only.
fn is_for_tests(inside: &[Token]) -> bool {
    inside.first().and_then(Token::name) == Some("cfg")
        && inside.len() > 3
        && needs_test(&inside[2..inside.len() - 1])
}

/// Whether a condition holds in tests only.
fn needs_test(condition: &[Token]) -> bool {
    match (condition.first().and_then(Token::name), condition.len()) {
        (Some("test"), 1) => true,
        (Some("all"), 3..) => parts(&condition[2..condition.len() - 1]).into_iter().any(needs_test),
        (Some("any"), 3..) => parts(&condition[2..condition.len() - 1]).into_iter().all(needs_test),
        _ => false,
    }
}

/// What stands between commas that are in no bracket.
fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while at < tokens.len() {
        match tokens[at] {
            Token::Sign('(' | '[' | '{') => at = group_end(tokens, at),
            Token::Sign(',') => {
                parts.push(&tokens[start..at]);
                (start, at) = (at + 1, at + 1);
            }
            _ => at += 1,
        }
    }
    if start < tokens.len() {
        parts.push(&tokens[start..]);
    }
    parts
}

/// The module that is declared here and stands in a file of its own.
fn declared_module(tokens: &[Token]) -> Option<String> {
    let place = tokens.iter().take(6).position(|token| token.name() == Some("mod"))?;
    let (name, end) = (tokens.get(place + 1)?.name()?, tokens.get(place + 2)?);
    end.is(';').then(|| name.to_owned())
}

/// Where the thing ends that begins here: an item, a statement, a field or a branch.
fn thing_end(tokens: &[Token], start: usize) -> usize {
    const ITEMS: &[&str] =
        &["pub", "fn", "mod", "impl", "struct", "enum", "use", "const", "static", "trait", "type"];
    let is_item = tokens.get(start).and_then(Token::name).is_some_and(|name| ITEMS.contains(&name));
    let mut at = start;
    while at < tokens.len() {
        match tokens[at] {
            Token::Sign('{') => return group_end(tokens, at),
            Token::Sign('(' | '[') => at = group_end(tokens, at),
            Token::Sign(';') => return at + 1,
            Token::Sign(',') if !is_item => return at + 1,
            Token::Sign(')' | ']' | '}') => return at,
            _ => at += 1,
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let (left, _) = without_tests(&tokens(text));
        left.iter().filter_map(Token::name).map(str::to_owned).collect()
    }

    #[test]
    fn comments_texts_letters_and_lifetimes_hold_no_names() {
        assert_eq!(names("a // b\n /* c /* d */ e */ f \"g \\\" h\" 'i' '\\'' b'j' &'k l"), ["a", "f", "l"]);
        assert_eq!(names("a r\"b\" r##\"c \"# d\"## br#\"e\"# b\"f\" 0x1f_u32 g"), ["a", "g"]);
        assert_eq!(names("row r bar"), ["row", "r", "bar"]);
    }

    #[test]
    fn what_exists_in_tests_only_is_left_out() {
        assert_eq!(names("#[cfg(test)] mod tests { use a; } b"), ["b"]);
        assert_eq!(names("struct S { #[cfg(test)] a: Vec<A>, b: B }"), ["struct", "S", "b", "B"]);
        assert_eq!(names("fn f() { #[cfg(test)] if a { b } #[cfg(test)] c(d, e); f }"), ["fn", "f", "f"]);
        assert_eq!(names("match x { #[cfg(test)] A(a) => b(c, d), B => e }"), ["match", "x", "B", "e"]);
        assert_eq!(names("#[cfg(test)] #[derive(A)] pub(crate) fn f<B, C>(d: D) -> E { f } g"), ["g"]);
        assert_eq!(names("#[cfg(all(test, feature = \"a\"))] use b::{c, d}; e"), ["e"]);
    }

    #[test]
    fn what_exists_without_tests_too_stays() {
        assert_eq!(
            names("#[cfg(any(test, feature = \"a\"))] use b; #[cfg(not(test))] use c;"),
            ["use", "b", "use", "c"]
        );
        assert_eq!(names("#[derive(A)] struct B;"), ["struct", "B"], "attributes are no code");
    }

    #[test]
    fn modules_in_files_that_exist_in_tests_only_are_named() {
        let (_, modules) =
            without_tests(&tokens("#[cfg(test)] mod a; #[cfg(test)] pub(crate) mod b; mod c;"));
        assert_eq!(modules, ["a", "b"]);
    }
}
