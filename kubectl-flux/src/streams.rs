//! Where the plugin prints: data to stdout, talk to stderr.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write},
};

use flux_core::printable::printable_lines;

use crate::error::Error;

/// The two streams.
pub(crate) struct Streams {
    out: Box<dyn Write + Send>,
    talk: Box<dyn Write + Send>,
    is_interactive: bool,
}

impl Streams {
    /// Returns the streams of the process.
    pub(crate) fn of_the_process() -> Self {
        let is_interactive = io::stdin().is_terminal() && io::stderr().is_terminal();
        Self {
            out: Box::new(io::stdout()),
            talk: Box::new(io::stderr()),
            is_interactive,
        }
    }

    /// Prints data as it is.
    pub(crate) fn data(&mut self, text: &str) -> Result<(), Error> {
        self.out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush())
            .map_err(Error::Output)
    }

    /// Prints a line of data; nothing in it drives the terminal.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<(), Error> {
        let line = printable_lines(&line.to_string());
        self.data(&(line + "\n"))
    }

    /// Tells the person something. A lost stderr is no reason to stop.
    pub(crate) fn say(&mut self, line: impl Display) {
        let line = printable_lines(&line.to_string());
        drop(writeln!(self.talk, "{line}"));
    }

    /// Tells the person what to do next.
    pub(crate) fn hint(&mut self, hint: impl Display) {
        self.say(format_args!("hint: {hint}"));
    }

    /// Tells the person what went wrong, and what to do about it.
    pub(crate) fn report(&mut self, error: &Error) {
        self.say(format_args!("error: {}", error.chain()));
        for detail in error.details() {
            self.say(format_args!("  {detail}"));
        }
        if let Some(hint) = error.hint() {
            self.hint(hint);
        }
    }

    /// Asks the person; `None` when there is nobody to ask.
    pub(crate) fn confirm(&mut self, question: &str) -> Result<Option<bool>, Error> {
        if !self.is_interactive {
            return Ok(None);
        }
        drop(write!(self.talk, "{question} [y/N] "));
        drop(self.talk.flush());
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(Error::Output)?;
        Ok(Some(matches!(answer.trim(), "y" | "Y" | "yes")))
    }
}
