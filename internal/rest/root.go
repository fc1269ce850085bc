package rest

import "net/http"

// Identity is what a worker says of itself at GET /: the Kafka version whose interface it speaks, the commit it was
// built from, and the id of its Kafka cluster.
type Identity struct {
	Version   string `json:"version"`
	Commit    string `json:"commit"`
	ClusterID string `json:"kafka_cluster_id"`
}

func (s *Server) getRoot(r *request) (any, int, error) {
	return s.Identity(r.Context()), http.StatusOK, nil
}

// health is the body of GET /health (KIP-1017).
type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func (s *Server) getHealth(*request) (any, int, error) {
	if !s.Ready() {
		return health{"starting", "Worker is still starting up."}, http.StatusServiceUnavailable, nil
	}
	return health{"healthy", "Worker has completed startup and is ready to handle requests."}, http.StatusOK, nil
}
