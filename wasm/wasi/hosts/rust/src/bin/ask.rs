//! Answers the requests of ../../tests/hosts.py, a line of JSON each: ask PLUGIN [MOST-BYTES-OF-MEMORY].
use retort_plugin::{Error, Model, Result, Session};
use serde_json::{json, Value};
use wasmtime::{Engine, Module};

struct Host {
    engine: Engine,
    module: Module,
    limit: Option<usize>,
    models: Vec<Option<Model>>,
    sessions: Vec<(usize, Session)>,
}

impl Host {
    fn answer(&mut self, r: &Value) -> Result<Value> {
        if let Some(file) = r["open"].as_str() {
            let mut model = Model::open(&self.engine, &self.module, file.as_ref(), &r["trust"], self.limit)?;
            let info = model.info()?;
            self.models.push(Some(model));
            return Ok(json!({"model": self.models.len() - 1, "info": info}));
        }
        if let Some(i) = r["session"].as_u64() {
            let session = self.model(i as usize).session(&r["options"])?;
            self.sessions.push((i as usize, session));
            return Ok(json!({"session": self.sessions.len() - 1}));
        }
        if let Some(i) = r["end"].as_u64() {
            let (i, session) = self.sessions[i as usize];
            self.model(i).close(session)?;
            return Ok(json!({"memory": self.model(i).memory_bytes()}));
        }
        if let Some(i) = r["close"].as_u64() {
            self.models[i as usize] = None;
            return Ok(json!({}));
        }
        let (i, session) = self.sessions[r["in"].as_u64().unwrap() as usize];
        let mut model = self.models[i].take().unwrap(); // out of the list, so that another can answer meanwhile
        let got = self.chat(&mut model, session, r);
        self.models[i] = Some(model);
        got
    }

    fn model(&mut self, i: usize) -> &mut Model {
        self.models[i].as_mut().unwrap()
    }

    fn chat(&mut self, model: &mut Model, session: Session, r: &Value) -> Result<Value> {
        let (mut text, mut reasoning, mut finish, mut count, mut inner) = (String::new(), String::new(), None, 0, Ok(Value::Null));
        model.chat(session, &r["chat"], |piece| {
            if piece.reasoning { &mut reasoning } else { &mut text }.push_str(&piece.text);
            finish = piece.finish;
            count += 1;
            if Some(count) != r["after"].as_u64() {
                return true;
            }
            if r["meanwhile"].is_object() {
                inner = self.answer(&r["meanwhile"]);
            }
            r["meanwhile"].is_object()
        })?;
        let proof = if finish.is_some() { model.proof(session)? } else { Value::Null };
        Ok(json!({"answer": text, "reasoning": reasoning, "finish_reason": finish, "meanwhile": inner?, "usage": model.usage(session)?, "proof": proof}))
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let engine = Engine::default();
    let module = Module::from_file(&engine, &args[1])?;
    let limit = args.get(2).map(|n| n.parse().unwrap());
    let mut host = Host { engine, module, limit, models: Vec::new(), sessions: Vec::new() };
    for line in std::io::stdin().lines() {
        let request: Value = serde_json::from_str(&line?).map_err(|e| Error { kind: "host", message: e.to_string() })?;
        match host.answer(&request) {
            Ok(value) => println!("{value}"),
            Err(error) if error.kind == "host" => return Err(error),
            Err(error) => println!("{}", json!({"error": error.kind, "message": error.message})),
        }
    }
    Ok(())
}
