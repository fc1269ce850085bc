package rest

import (
	"net/http"
	"strconv"

	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/store"
)

func (s *Server) getConnector(r *request) (any, int, error) {
	info, err := s.Herder.Connector(r.vars[0])
	return info, http.StatusOK, err
}

func (s *Server) deleteConnector(r *request) (any, int, error) {
	return nil, http.StatusNoContent, s.Herder.Delete(r.Context(), r.vars[0])
}

func (s *Server) getConfig(r *request) (any, int, error) {
	info, err := s.Herder.Connector(r.vars[0])
	return info.Config, http.StatusOK, err
}

func (s *Server) putConfig(r *request) (any, int, error) {
	var cfg store.Config
	if err := decode(r, &cfg); err != nil {
		return nil, 0, err
	}
	cfg, err := herder.Named(cfg, r.vars[0])
	if err != nil {
		return nil, 0, err
	}
	info, created, err := s.Herder.Put(r.Context(), r.vars[0], cfg, "", true)
	if err != nil {
		return nil, 0, err
	}
	if created {
		return located{info}, http.StatusCreated, nil
	}
	return info, http.StatusOK, nil
}

func (s *Server) getStatus(r *request) (any, int, error) {
	st, err := s.Herder.ConnectorStatus(r.vars[0])
	return st, http.StatusOK, err
}

// restartConnector restarts the connector alone, or, with parameters, what they select (KIP-745).
func (s *Server) restartConnector(r *request) (any, int, error) {
	what := herder.Restart{IncludeTasks: r.flag("includeTasks"), OnlyFailed: r.flag("onlyFailed")}
	if what == (herder.Restart{}) {
		return nil, http.StatusNoContent, s.Herder.RestartConnector(r.Context(), r.vars[0])
	}
	st, err := s.Herder.Restart(r.Context(), r.vars[0], what)
	return st, http.StatusAccepted, err
}

func (s *Server) pauseConnector(r *request) (any, int, error) {
	return nil, http.StatusAccepted, s.Herder.SetTarget(r.Context(), r.vars[0], store.Paused)
}

func (s *Server) resumeConnector(r *request) (any, int, error) {
	return nil, http.StatusAccepted, s.Herder.SetTarget(r.Context(), r.vars[0], store.Started)
}

func (s *Server) stopConnector(r *request) (any, int, error) {
	return nil, http.StatusNoContent, s.Herder.SetTarget(r.Context(), r.vars[0], store.Stopped)
}

func (s *Server) listTasks(r *request) (any, int, error) {
	tasks, err := s.Herder.Tasks(r.vars[0])
	return tasks, http.StatusOK, err
}

// taskID returns the task of a path; a number that is none is an unknown path.
func taskID(r *request) (store.ConnectorTaskID, error) {
	n, err := strconv.ParseInt(r.vars[1], 10, 32)
	if err != nil {
		return store.ConnectorTaskID{}, statusCode(http.StatusNotFound)
	}
	return store.ConnectorTaskID{Connector: r.vars[0], Task: int(n)}, nil
}

func (s *Server) getTaskStatus(r *request) (any, int, error) {
	id, err := taskID(r)
	if err != nil {
		return nil, 0, err
	}
	st, err := s.Herder.TaskStatus(id)
	return st, http.StatusOK, err
}

func (s *Server) restartTask(r *request) (any, int, error) {
	id, err := taskID(r)
	if err != nil {
		return nil, 0, err
	}
	return nil, http.StatusNoContent, s.Herder.RestartTask(r.Context(), id)
}

// listPlugins shows connectors only unless connectorsOnly is given and is not true; an empty value counts as absent.
func (s *Server) listPlugins(r *request) (any, int, error) {
	all := r.URL.Query().Get("connectorsOnly") != "" && !r.flag("connectorsOnly")
	return s.Herder.ListPlugins(!all), http.StatusOK, nil
}
