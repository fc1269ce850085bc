package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// rest talks to a Connect worker, either one.
type rest string

// requestLimit bounds one request; a busy Java worker takes its time for the first ones.
const requestLimit = time.Minute

// call sends a request and returns the answer's body. Every status but want is an error.
func (r rest) call(ctx context.Context, want int, method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	var send io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		send = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, string(r)+path, send)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	// A connection of its own for each request: workers come and go.
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode != want {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return text, nil
}

func (r rest) create(ctx context.Context, name string, config map[string]string) error {
	_, err := r.call(ctx, http.StatusCreated, http.MethodPost, "/connectors", map[string]any{"name": name, "config": config})
	return err
}

// remove deletes a connector and waits until the worker no longer knows it.
func (r rest) remove(ctx context.Context, name string) error {
	if _, err := r.call(ctx, http.StatusNoContent, http.MethodDelete, "/connectors/"+name, nil); err != nil {
		return err
	}
	for {
		if _, err := r.call(ctx, http.StatusNotFound, http.MethodGet, "/connectors/"+name+"/status", nil); err == nil {
			return nil
		}
		if err := wait(ctx, lastLook); err != nil {
			return err
		}
	}
}

// healthy returns an error if the connector or a task of it has failed.
func (r rest) healthy(ctx context.Context, name string) error {
	text, err := r.call(ctx, http.StatusOK, http.MethodGet, "/connectors/"+name+"/status", nil)
	if err != nil {
		return err
	}
	if strings.Contains(string(text), `"FAILED"`) {
		return fmt.Errorf("connector %s has failed: %s", name, text)
	}
	return nil
}

// answers tells whether GET / is answered with 200.
func (r rest) answers(ctx context.Context) error {
	_, err := r.call(ctx, http.StatusOK, http.MethodGet, "/", nil)
	return err
}
