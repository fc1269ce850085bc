package rest

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/millrace-io/millrace/internal/herder"
)

// errorBody is the body of every error.
type errorBody struct {
	ErrorCode int    `json:"error_code"`
	Message   string `json:"message"`
}

var statusOfKind = map[herder.Kind]int{
	herder.Internal:      http.StatusInternalServerError,
	herder.NotFound:      http.StatusNotFound,
	herder.AlreadyExists: http.StatusConflict,
	herder.BadRequest:    http.StatusBadRequest,
	herder.Conflict:      http.StatusConflict,
	herder.Timeout:       http.StatusInternalServerError,
	herder.Unavailable:   http.StatusServiceUnavailable,
	herder.Elsewhere:     http.StatusConflict,
}

// statusCode is the error of a request that a resource refuses with nothing but a status.
type statusCode int

func (c statusCode) Error() string { return fmt.Sprintf("HTTP %d %s", int(c), http.StatusText(int(c))) }

// errorResponse is the answer to a request that a resource has refused.
func errorResponse(err error) response {
	status := http.StatusInternalServerError
	if c, ok := errors.AsType[statusCode](err); ok {
		status = int(c)
	}
	if _, ok := errors.AsType[forbidden](err); ok {
		status = http.StatusForbidden
	}
	if e, ok := errors.AsType[*herder.Error](err); ok {
		status = statusOfKind[e.Kind]
	}
	return errorWith(status, err.Error())
}

// statusError is the answer to a request that reaches no resource. It has no Content-Type, as in Connect.
func statusError(status int) response {
	return response{status: status, body: encode(errorBody{status, statusCode(status).Error()})}
}

func errorWith(status int, message string) response {
	return response{
		status: status,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   encode(errorBody{status, message}),
	}
}

// badPath refuses a path before routing.
func badPath(method string) response {
	resp := response{status: http.StatusBadRequest, header: make(http.Header)}
	switch method {
	case http.MethodDelete, http.MethodPut, http.MethodPatch:
		return resp
	}
	resp.header.Set("Content-Type", "text/html;charset=iso-8859-1")
	resp.body = []byte("<html><body><h2>HTTP ERROR 400 Ambiguous URI</h2></body></html>\n")
	return resp
}
