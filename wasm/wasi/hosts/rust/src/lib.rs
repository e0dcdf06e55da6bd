//! A reasoning model in a sandbox inside your Rust program: retort-plugin.wasm under wasmtime.
//!
//! The module imports nothing: no file, clock or network is open to it. This file reads the model and feeds it piece by piece; the plugin hashes each
//! piece, and parses nothing before all of it was verified. docs/PLUGIN.md describes the functions called here.
//!
//! A `Model` is for one thread at a time. Dropping it gives the whole sandbox back.

use serde_json::{json, Value};
use std::{fs, io::Read, path::Path};
use wasmtime::{Engine, Instance, Memory, Module, Store, StoreLimits, StoreLimitsBuilder, Val};

/// What the plugin refused; `kind` is a stable word ("trust", "memory", "format", ...), "io" and "host" for what went wrong on this side.
#[derive(Debug)]
pub struct Error {
    pub kind: &'static str,
    pub message: String,
}
impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}
impl std::error::Error for Error {}
impl From<wasmtime::Error> for Error {
    fn from(e: wasmtime::Error) -> Self {
        Error { kind: "host", message: format!("{e:#}") }
    }
}
impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        Error { kind: "io", message: e.to_string() }
    }
}
pub type Result<T> = std::result::Result<T, Error>;

const STATUS: [&str; 12] = ["", "argument", "memory", "format", "unsupported", "context", "template", "json", "buffer", "trust", "io", "interrupted"];
const FINISH: [&str; 4] = ["none", "stop", "length", "stop_string"];
/// Bytes read at a time where the file has no list of chunks.
const PIECE: u64 = 16 << 20;

/// A part of an answer as it comes. `finish` is set on the last.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    pub text: String,
    pub reasoning: bool,
    pub token: i32,
    pub finish: Option<&'static str>,
}

pub struct Model {
    store: Store<StoreLimits>,
    instance: Instance,
    memory: Memory,
    model: i32,
}

/// A conversation; its functions are the model's.
#[derive(Debug, Clone, Copy)]
pub struct Session(i32);

impl Model {
    /// `file`: a GGUF file; its signature and chunk list are found beside it (FILE.sig, FILE.minisig, FILE.chunks). `trust`: the policy, which has no
    /// default. `memory_limit`: the most bytes that the sandbox may take.
    pub fn open(engine: &Engine, module: &Module, file: &Path, trust: &Value, memory_limit: Option<usize>) -> Result<Model> {
        let limits = StoreLimitsBuilder::new().memory_size(memory_limit.unwrap_or(usize::MAX)).build();
        let mut store = Store::new(engine, limits);
        store.limiter(|limits| limits);
        let instance = Instance::new(&mut store, module, &[])?;
        let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| Error { kind: "host", message: "this module has no memory".into() })?;
        let mut model = Model { store, instance, memory, model: 0 };
        model.model = model.load(file, trust)?;
        Ok(model)
    }

    pub fn info(&mut self) -> Result<Value> {
        self.json("model_info", self.model)
    }

    /// A conversation; options: n_ctx, n_batch, kv.
    pub fn session(&mut self, options: &Value) -> Result<Session> {
        Ok(Session(self.send("session_new", options, &[Val::I32(self.model)])?))
    }

    /// Begins an answer to {"messages": [...], "temperature": ..., ...} (docs/PLUGIN.md) and hands its pieces to `each` until that returns false.
    pub fn chat(&mut self, session: Session, request: &Value, mut each: impl FnMut(&Piece) -> bool) -> Result<()> {
        self.send("chat", request, &[Val::I32(session.0)])?;
        loop {
            let kind = self.call("step", &[Val::I32(session.0), Val::I32(0)])?;
            if kind == 0 {
                continue;
            }
            let at = self.address("event", &[Val::I32(session.0)])?;
            let event = self.read(at, 36);
            let word = |i: usize| u32::from_le_bytes(event[4 * i..4 * i + 4].try_into().unwrap());
            let text = String::from_utf8_lossy(&self.read(word(3) as usize, word(4) as usize)).into_owned();
            let finish = (kind == 2).then(|| FINISH[word(5) as usize % 4]);
            if !each(&Piece { text, reasoning: word(2) == 1, token: word(1) as i32, finish }) || kind == 2 {
                return Ok(());
            }
        }
    }

    pub fn usage(&mut self, session: Session) -> Result<Value> {
        self.json("usage", session.0)
    }
    pub fn proof(&mut self, session: Session) -> Result<Value> {
        self.json("proof", session.0)
    }
    pub fn close(&mut self, session: Session) -> Result<()> {
        self.call("close", &[Val::I32(session.0)]).map(|_| ())
    }
    pub fn memory_bytes(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    // ---- the functions of the plugin ----

    fn raw(&mut self, name: &str, args: &[Val]) -> Result<i64> {
        let name = format!("retort_{name}");
        let function = self.instance.get_func(&mut self.store, &name).ok_or_else(|| Error { kind: "host", message: format!("this module has no {name}") })?;
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        function.call(&mut self.store, args, &mut results)?;
        Ok(match results.first() {
            Some(Val::I64(value)) => *value,
            Some(Val::I32(value)) => i64::from(*value),
            _ => 0,
        })
    }

    fn call(&mut self, name: &str, args: &[Val]) -> Result<i32> {
        Ok(self.call64(name, args)? as i32)
    }

    fn call64(&mut self, name: &str, args: &[Val]) -> Result<i64> {
        let value = self.raw(name, args)?;
        if value >= 0 {
            return Ok(value);
        }
        let at = self.address("last_error", &[])?;
        let text = self.read(at, 508);
        let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
        let kind = STATUS.get(value.unsigned_abs() as usize).copied().unwrap_or("unknown");
        Err(Error { kind, message: String::from_utf8_lossy(&text[..end]).into_owned() })
    }

    fn address(&mut self, name: &str, args: &[Val]) -> Result<usize> {
        match self.raw(name, args)? as u32 {
            0 => Err(Error { kind: "memory", message: "the sandbox has no more memory".into() }),
            at => Ok(at as usize),
        }
    }

    fn read(&self, at: usize, size: usize) -> Vec<u8> {
        self.memory.data(&self.store)[at..at + size].to_vec()
    }

    fn json(&mut self, name: &str, object: i32) -> Result<Value> {
        let size = self.call(name, &[Val::I32(object)])? as usize;
        let at = self.address("result", &[])?;
        serde_json::from_slice(&self.read(at, size)).map_err(|e| Error { kind: "json", message: e.to_string() })
    }

    fn with_bytes(&mut self, name: &str, bytes: &[u8], before: &[Val]) -> Result<i32> {
        let at = self.address("alloc", &[Val::I32(bytes.len() as i32)])?;
        self.memory.data_mut(&mut self.store)[at..at + bytes.len()].copy_from_slice(bytes);
        let mut args = before.to_vec();
        args.extend([Val::I32(at as i32), Val::I32(bytes.len() as i32)]);
        let result = self.call(name, &args);
        self.raw("free", &[Val::I32(at as i32)])?;
        result
    }

    fn send(&mut self, name: &str, value: &Value, before: &[Val]) -> Result<i32> {
        self.with_bytes(name, value.to_string().as_bytes(), before)
    }

    // ---- loading ----

    fn load(&mut self, file: &Path, trust: &Value) -> Result<i32> {
        let beside = |suffix: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(suffix);
            std::path::PathBuf::from(name)
        };
        let method = trust["method"].as_str().unwrap_or("");
        let mut signatures = Vec::new();
        if method != "unsigned" && method != "pinned" {
            let path = if method == "minisign" { beside(".minisig") } else { beside(".sig") };
            if path.exists() {
                signatures.push(fs::read_to_string(path)?);
            }
        }
        let size = fs::metadata(file)?.len();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let loader = Val::I32(self.send("load_begin", &json!({"trust": trust, "signatures": signatures, "files": [{"name": name, "size": size}]}), &[])?);
        if beside(".chunks").exists() {
            self.with_bytes("load_chunks", &fs::read(beside(".chunks"))?, &[loader, Val::I32(0)])?;
        }
        self.call("load_open", &[loader])?;
        let step = match self.call64("load_chunk_size", &[loader, Val::I32(0)])? as u64 {
            0 if method == "signify" => size.max(1),
            0 => PIECE,
            chunk => chunk,
        };
        let at = self.address("load_buffer", &[loader, Val::I32(0)])?;
        let mut from = fs::File::open(file)?;
        let mut offset = 0u64;
        while offset < size {
            let n = step.min(size - offset) as usize;
            let place = at + offset as usize;
            from.read_exact(&mut self.memory.data_mut(&mut self.store)[place..place + n])?;
            self.call("load_fed", &[loader, Val::I32(0), Val::I64(offset as i64), Val::I32(n as i32)])?;
            offset += n as u64;
        }
        self.call("load_finish", &[loader])
    }
}
