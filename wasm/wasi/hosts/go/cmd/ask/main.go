// Answers one request: ask PLUGIN MODEL.gguf < {"trust": {...}, "chat": {"messages": [...], ...}}, and prints what came as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"

	"retort"
)

func answer(request map[string]retort.Object) (retort.Object, error) {
	model, err := retort.Open(context.Background(), nil, os.Args[1], os.Args[2], request["trust"])
	if err != nil {
		return nil, err
	}
	defer model.Close()
	session, err := model.Session(nil)
	if err != nil {
		return nil, err
	}
	text, reasoning, finish := "", "", ""
	err = session.Chat(request["chat"], func(p retort.Piece) bool {
		if p.Reasoning {
			reasoning += p.Text
		} else {
			text += p.Text
		}
		finish = p.Finish
		return true
	})
	usage, err1 := session.Usage()
	proof, err2 := session.Proof()
	info, err3 := model.Info()
	return retort.Object{"text": text, "reasoning": reasoning, "finish_reason": finish, "usage": usage, "proof": proof, "info": info}, errors.Join(err, err1, err2, err3)
}

func main() {
	var request map[string]retort.Object
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber()
	if err := decoder.Decode(&request); err != nil {
		log.Fatal(err)
	}
	got, err := answer(request)
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
