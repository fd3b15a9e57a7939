//! Bodies of requests and answers, as gix reads and writes them.

use std::{
    io::{self, BufRead, Cursor, Read, Write},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use reqwest::{
    Request, Response,
    header::{HeaderName, HeaderValue},
};

use super::{Error, Exchange, chain, server};

/// A request that is sent when its answer is first read: gix writes the body in between.
#[derive(Clone)]
pub(super) struct Pending {
    exchange: Exchange,
    state: Arc<Mutex<State>>,
}

struct State {
    request: Option<Request>,
    body: Vec<u8>,
    response: Option<Response>,
    headers: Vec<u8>,
}

impl Pending {
    pub(super) fn waiting(exchange: Exchange, request: Request) -> Self {
        let state = State {
            request: Some(request),
            body: Vec::new(),
            response: None,
            headers: Vec::new(),
        };
        Self {
            exchange,
            state: Arc::new(Mutex::new(state)),
        }
    }

    pub(super) fn answered(exchange: Exchange, response: Response) -> Self {
        let state = State {
            request: None,
            body: Vec::new(),
            headers: lines(&response),
            response: Some(response),
        };
        Self {
            exchange,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Sends the request if that is still to be done, and hands its state to `read`.
    fn with_answer<T>(&self, read: impl FnOnce(&mut State) -> T) -> io::Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut request) = state.request.take() {
            *request.body_mut() = Some(std::mem::take(&mut state.body).into());
            let response = self.exchange.check(self.exchange.send(request)?)?;
            state.headers = lines(&response);
            state.response = Some(response);
        }
        Ok(read(&mut state))
    }
}

fn lines(response: &Response) -> Vec<u8> {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat()
    };
    response.headers().iter().flat_map(line).collect()
}

/// The body of a POST while it is being written. The requests of a fetch are small.
pub(crate) struct PostBody(Pending);

impl PostBody {
    pub(super) fn of(pending: &Pending) -> Self {
        Self(pending.clone())
    }
}

impl Write for PostBody {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The headers of an answer, line by line.
pub(crate) struct Headers {
    pending: Option<Pending>,
    lines: Cursor<Vec<u8>>,
}

impl Headers {
    pub(super) fn of(pending: &Pending) -> Self {
        Self {
            pending: Some(pending.clone()),
            lines: Cursor::default(),
        }
    }
}

impl Read for Headers {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.fill_buf()?;
        self.lines.read(into)
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(pending) = self.pending.take() {
            let lines = pending.with_answer(|state| std::mem::take(&mut state.headers))?;
            self.lines = Cursor::new(lines);
        }
        self.lines.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.lines.consume(amount);
    }
}

/// The body of an answer, chunk by chunk as it comes in.
pub(crate) struct Body {
    pending: Pending,
    response: Option<Response>,
    chunk: Bytes,
    is_over: bool,
}

impl Body {
    pub(super) fn of(pending: &Pending) -> Self {
        Self {
            pending: pending.clone(),
            response: None,
            chunk: Bytes::new(),
            is_over: false,
        }
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        if self.response.is_none() {
            self.response = self.pending.with_answer(|state| state.response.take())?;
        }
        let line = &self.pending.exchange.line;
        let Some(response) = self.response.as_mut() else {
            self.is_over = true;
            return Ok(());
        };
        let server = server(response.url());
        let chunk = line.wait(response.chunk())?.map_err(|error| {
            let message = chain(&error.without_url());
            line.fail(Error::Connect { server, message })
        })?;
        match chunk {
            Some(chunk) => {
                line.count(chunk.len())?;
                self.chunk = chunk;
            }
            None => self.is_over = true,
        }
        Ok(())
    }
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let amount = available.len().min(into.len());
        let (now, _) = available.split_at(amount);
        let (start, _) = into.split_at_mut(amount);
        start.copy_from_slice(now);
        self.consume(amount);
        Ok(amount)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.chunk.is_empty() && !self.is_over {
            self.next_chunk()?;
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, amount: usize) {
        let _consumed = self.chunk.split_to(amount.min(self.chunk.len()));
    }
}
