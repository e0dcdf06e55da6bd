//! Answers one request: ask PLUGIN MODEL.gguf < {"trust": {...}, "chat": {"messages": [...], ...}}, and prints what came as JSON.
use retort_plugin::{Error, Model, Result};
use serde_json::{json, Value};
use std::path::Path;
use wasmtime::{Engine, Module};

fn answer(plugin: &str, file: &str, request: &Value) -> Result<Value> {
    let engine = Engine::default();
    let mut model = Model::open(&engine, &Module::from_file(&engine, plugin)?, Path::new(file), &request["trust"], None)?;
    let session = model.session(&json!({}))?;
    let (mut text, mut reasoning, mut finish) = (String::new(), String::new(), None);
    model.chat(session, &request["chat"], |piece| {
        if piece.reasoning { &mut reasoning } else { &mut text }.push_str(&piece.text);
        finish = piece.finish;
        true
    })?;
    Ok(json!({"text": text, "reasoning": reasoning, "finish_reason": finish, "usage": model.usage(session)?, "proof": model.proof(session)?, "info": model.info()?}))
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let request: Value = serde_json::from_reader(std::io::stdin()).map_err(|e| Error { kind: "json", message: e.to_string() })?;
    match answer(&args[1], &args[2], &request) {
        Ok(value) => println!("{value}"),
        Err(error) if error.kind == "host" => return Err(error),
        Err(error) => println!("{}", json!({"error": error.kind, "message": error.message})),
    }
    Ok(())
}
