// The HTTP side of jobs; see docs/jobs.md. The status of one job as an event stream until it ends,
// and new jobs by POST.
#pragma once

#include <string>

#include "server/endpoint.h"

namespace rt::server {

struct JobsHttp {
  std::string token;  // who comes must bear it; empty: anybody may
  Duration keepalive_every = std::chrono::seconds(15);
};

class JobsEndpoint final : public Endpoint {
 public:
  explicit JobsEndpoint(JobsHttp options);
  Outcome on_request(const http1::RequestHead& head) const override;
  Outcome on_body(const std::string& queue, std::string body) const override;
  Answer draining() const override;
  const StreamRules& stream_rules() const override { return rules_; }

 private:
  JobsHttp options_;
  StreamRules rules_;
};

}  // namespace rt::server
