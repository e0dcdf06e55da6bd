// Package retort is a reasoning model in a sandbox inside your Go program: retort-plugin.wasm under wazero, without cgo.
//
// The module imports nothing: no file, clock or network is open to it. This file reads the model and feeds it piece by piece; the plugin hashes each
// piece, and parses nothing before all of it was verified. docs/PLUGIN.md describes the functions called here.
//
// A Model is for one goroutine at a time. wazero has no relaxed SIMD: it runs retort-plugin.wasm, not the relaxed one.
package retort

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

var kinds = []string{"", "argument", "memory", "format", "unsupported", "context", "template", "json", "buffer", "trust", "io", "interrupted"}
var finishes = []string{"none", "stop", "length", "stop_string"}

// Bytes read at a time where the file has no list of chunks.
const pieceSize = 16 << 20

// Error is what the plugin refused; Kind is a stable word: "trust", "memory", "format", ...
type Error struct{ Kind, Message string }

func (e *Error) Error() string { return e.Kind + ": " + e.Message }

// Object is JSON with names.
type Object = map[string]any

// Piece is a part of an answer as it comes. Finish is set on the last.
type Piece struct {
	Text      string
	Reasoning bool
	Token     int32
	Finish    string
}

// Model is one sandbox with one model in it.
type Model struct {
	ctx     context.Context
	runtime wazero.Runtime
	module  api.Module
	model   uint64
}

// Open loads a GGUF file; its signature and chunk list are found beside it (FILE.sig, FILE.minisig, FILE.chunks). trust is the policy, which has no
// default. config may be nil; NewRuntimeConfig().WithMemoryLimitPages(n) caps the memory at n times 64 KiB, WithCloseOnContextDone lets ctx stop it.
func Open(ctx context.Context, config wazero.RuntimeConfig, plugin, file string, trust Object) (*Model, error) {
	code, err := os.ReadFile(plugin)
	if err != nil {
		return nil, err
	}
	if config == nil {
		config = wazero.NewRuntimeConfig()
	}
	m := &Model{ctx: ctx, runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	if m.module, err = m.runtime.Instantiate(ctx, code); err == nil {
		m.model, err = m.load(file, trust)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// Close gives the whole sandbox back.
func (m *Model) Close() error { return m.runtime.Close(m.ctx) }

// Info says what the model is and who vouches for it.
func (m *Model) Info() (Object, error) { return m.json("model_info", m.model) }

// MemoryBytes is what the sandbox has taken.
func (m *Model) MemoryBytes() uint32 { return m.module.Memory().Size() }

// Session is a conversation.
type Session struct {
	model *Model
	id    uint64
}

// Session opens a conversation; options: n_ctx, n_batch, kv, or nil.
func (m *Model) Session(options Object) (*Session, error) {
	if options == nil {
		options = Object{}
	}
	id, err := m.send("session_new", options, m.model)
	return &Session{m, id}, err
}

// Chat begins an answer to {"messages": [...], "temperature": ..., ...} (docs/PLUGIN.md) and hands its pieces to each until that returns false.
func (s *Session) Chat(request Object, each func(Piece) bool) error {
	m := s.model
	if _, err := m.send("chat", request, s.id); err != nil {
		return err
	}
	for {
		kind, err := m.call("step", s.id, 0)
		if err != nil {
			return err
		}
		if kind == 0 {
			continue
		}
		event, err := m.readAt("event", 36, s.id)
		if err != nil {
			return err
		}
		word := func(i int) uint32 { return binary.LittleEndian.Uint32(event[4*i:]) }
		text, ok := m.module.Memory().Read(word(3), word(4))
		if !ok {
			return errors.New("the text lies outside of the sandbox")
		}
		piece := Piece{Text: string(text), Reasoning: word(2) == 1, Token: int32(word(1))}
		if kind == 2 {
			piece.Finish = finishes[word(5)]
		}
		if !each(piece) || kind == 2 {
			return nil
		}
	}
}

// Usage counts tokens.
func (s *Session) Usage() (Object, error) { return s.model.json("usage", s.id) }

// Proof is what the native program prints with --proof; the request needs "proof": true.
func (s *Session) Proof() (Object, error) { return s.model.json("proof", s.id) }

// Close ends the conversation.
func (s *Session) Close() error { _, err := s.model.call("close", s.id); return err }

// ---- the functions of the plugin ----

func (m *Model) raw(name string, args ...uint64) (uint64, error) {
	results, err := m.module.ExportedFunction("retort_"+name).Call(m.ctx, args...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

func (m *Model) call(name string, args ...uint64) (uint64, error) {
	value, err := m.raw(name, args...)
	if err != nil {
		return 0, err
	}
	status := int64(value)
	if name != "load_chunk_size" {
		status = int64(int32(value))
	}
	if status >= 0 {
		return value, nil
	}
	text, err := m.readAt("last_error", 508)
	if err != nil {
		return 0, err
	}
	kind := "unknown"
	if int(-status) < len(kinds) {
		kind = kinds[-status]
	}
	return 0, &Error{kind, string(text[:bytes.IndexByte(text, 0)])}
}

// A copy of size bytes at the address that the function returns.
func (m *Model) readAt(name string, size uint32, args ...uint64) ([]byte, error) {
	at, err := m.address(name, args...)
	if err != nil {
		return nil, err
	}
	data, ok := m.module.Memory().Read(at, size)
	if !ok {
		return nil, fmt.Errorf("%s points outside of the sandbox", name)
	}
	return bytes.Clone(data), nil
}

func (m *Model) address(name string, args ...uint64) (uint32, error) {
	at, err := m.raw(name, args...)
	if err == nil && uint32(at) == 0 {
		err = &Error{"memory", "the sandbox has no more memory"}
	}
	return uint32(at), err
}

func (m *Model) json(name string, object uint64) (Object, error) {
	size, err := m.call(name, object)
	if err != nil {
		return nil, err
	}
	text, err := m.readAt("result", uint32(size))
	if err != nil {
		return nil, err
	}
	value := Object{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return value, decoder.Decode(&value)
}

func (m *Model) withBytes(name string, data []byte, before ...uint64) (uint64, error) {
	at, err := m.address("alloc", uint64(len(data)))
	if err != nil {
		return 0, err
	}
	m.module.Memory().Write(at, data)
	value, err := m.call(name, append(before, uint64(at), uint64(len(data)))...)
	if _, freeing := m.raw("free", uint64(at)); err == nil {
		err = freeing
	}
	return value, err
}

func (m *Model) send(name string, value any, before ...uint64) (uint64, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return 0, err
	}
	return m.withBytes(name, text, before...)
}

// ---- loading ----

func (m *Model) load(name string, trust Object) (uint64, error) {
	signatures := []string{}
	suffix := map[any]string{"unsigned": "", "pinned": "", "minisign": ".minisig"}
	beside, known := suffix[trust["method"]]
	if !known {
		beside = ".sig"
	}
	if beside != "" {
		if text, err := os.ReadFile(name + beside); err == nil {
			signatures = append(signatures, string(text))
		} else if !os.IsNotExist(err) {
			return 0, err
		}
	}
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	size := uint64(info.Size())
	loader, err := m.send("load_begin", Object{"trust": trust, "signatures": signatures, "files": []Object{{"name": filepath.Base(name), "size": size}}})
	if err != nil {
		return 0, err
	}
	if list, missing := os.ReadFile(name + ".chunks"); missing == nil {
		if _, err = m.withBytes("load_chunks", list, loader, 0); err != nil {
			return 0, err
		}
	}
	if _, err = m.call("load_open", loader); err != nil {
		return 0, err
	}
	step, err := m.call("load_chunk_size", loader, 0)
	if err != nil {
		return 0, err
	}
	if step == 0 {
		if step = pieceSize; trust["method"] == "signify" {
			step = max(size, 1)
		}
	}
	at, err := m.address("load_buffer", loader, 0)
	if err != nil {
		return 0, err
	}
	for offset := uint64(0); offset < size; {
		n := min(step, size-offset)
		view, ok := m.module.Memory().Read(at+uint32(offset), uint32(n))
		if !ok {
			return 0, errors.New("the buffer lies outside of the sandbox")
		}
		if _, err = io.ReadFull(file, view); err != nil {
			return 0, err
		}
		if _, err = m.call("load_fed", loader, 0, offset, n); err != nil {
			return 0, err
		}
		offset += n
	}
	return m.call("load_finish", loader)
}
