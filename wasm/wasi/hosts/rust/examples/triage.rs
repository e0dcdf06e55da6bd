//! Which of these words has the letter most often? cargo run --release --example triage -- PLUGIN MODEL.gguf KEY.pub r strawberry carrot
use retort_plugin::{Model, Result};
use serde_json::json;
use wasmtime::{Engine, Module};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let engine = Engine::default();
    let trust = json!({"method": "key", "anchors": [std::fs::read_to_string(&args[2])?], "model_name": "ember"});
    let mut model = Model::open(&engine, &Module::from_file(&engine, &args[0])?, args[1].as_ref(), &trust, Some(64 << 20))?;
    let session = model.session(&json!({}))?;
    for word in &args[4..] {
        let question = format!("How many {} are in {word}?", args[3]);
        print!("{word}: ");
        model.chat(session, &json!({"messages": [{"role": "user", "content": question}], "temperature": 0}), |piece| {
            if !piece.reasoning { print!("{}", piece.text) }
            true
        })?;
        println!();
    }
    Ok(())
}
