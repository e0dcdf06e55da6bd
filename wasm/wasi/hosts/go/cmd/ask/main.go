// Answers the requests of ../../tests/hosts.py, a line of JSON each: ask PLUGIN [MOST-BYTES-OF-MEMORY]. Compiled code is shared by all models.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"strconv"

	"retort"

	"github.com/tetratelabs/wazero"
)

type request struct {
	Open    *string
	Session *int
	End     *int
	Close   *int

	Trust, Options, Chat retort.Object
	In, After            int
	Meanwhile            *request
}

type session struct {
	model *retort.Model
	*retort.Session
}

var config = wazero.NewRuntimeConfig().WithCompilationCache(wazero.NewCompilationCache())
var models []*retort.Model
var sessions []session

func answer(r *request) (retort.Object, error) {
	switch {
	case r.Open != nil:
		model, err := retort.Open(context.Background(), config, os.Args[1], *r.Open, r.Trust)
		if err != nil {
			return nil, err
		}
		models = append(models, model)
		info, err := model.Info()
		return retort.Object{"model": len(models) - 1, "info": info}, err
	case r.Session != nil:
		s, err := models[*r.Session].Session(r.Options)
		sessions = append(sessions, session{models[*r.Session], s})
		return retort.Object{"session": len(sessions) - 1}, err
	case r.End != nil:
		err := sessions[*r.End].Close()
		return retort.Object{"memory": sessions[*r.End].model.MemoryBytes()}, err
	case r.Close != nil:
		return retort.Object{}, models[*r.Close].Close()
	}
	s, text, reasoning, finish, count := sessions[r.In], "", "", "", 0
	var inner retort.Object
	var failed error
	err := s.Chat(r.Chat, func(p retort.Piece) bool {
		if p.Reasoning {
			reasoning += p.Text
		} else {
			text += p.Text
		}
		finish = p.Finish
		if count++; count != r.After {
			return true
		}
		if r.Meanwhile != nil {
			inner, failed = answer(r.Meanwhile)
		}
		return r.Meanwhile != nil
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	out := retort.Object{"answer": text, "reasoning": reasoning, "finish_reason": finish, "meanwhile": inner}
	if out["usage"], err = s.Usage(); err == nil && finish != "" {
		out["proof"], err = s.Proof()
	}
	return out, err
}

func main() {
	if len(os.Args) > 2 {
		limit, err := strconv.ParseUint(os.Args[2], 10, 32)
		if err != nil {
			log.Fatal(err)
		}
		config = config.WithMemoryLimitPages(uint32(limit >> 16))
	}
	code, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if _, err = wazero.NewRuntimeWithConfig(context.Background(), config).CompileModule(context.Background(), code); err != nil { // keeps it in the cache
		log.Fatal(err)
	}
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber()
	for {
		var r request
		if err := decoder.Decode(&r); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		got, err := answer(&r)
		var refused *retort.Error
		if errors.As(err, &refused) {
			got = retort.Object{"error": refused.Kind, "message": refused.Message}
		} else if err != nil {
			log.Fatal(err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
			log.Fatal(err)
		}
	}
}
