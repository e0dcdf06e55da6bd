// Works out a sum and shows how: go run ./cmd/sum PLUGIN MODEL.gguf KEY.pub "4821 + 396"
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"retort"
)

func main() {
	key, err := os.ReadFile(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	model, err := retort.Open(context.Background(), nil, os.Args[1], os.Args[2], retort.Object{"method": "key", "anchors": []string{string(key)}, "model_name": "ember"})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	session, err := model.Session(nil)
	if err != nil {
		log.Fatal(err)
	}
	question := []retort.Object{{"role": "user", "content": "What is " + os.Args[4] + "?"}}
	err = session.Chat(retort.Object{"messages": question, "temperature": 0}, func(p retort.Piece) bool { fmt.Print(p.Text); return true })
	if err != nil {
		log.Fatal(err)
	}
}
