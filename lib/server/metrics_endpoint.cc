#include "server/metrics_endpoint.h"

#include "server/metrics.h"
#include "server/refusals.h"

namespace rt::server {
namespace {

class MetricsEndpoint final : public Endpoint {
 public:
  explicit MetricsEndpoint(std::function<std::string()> text) : text_(std::move(text)) {}

  Outcome on_request(const http1::RequestHead& head) const override {
    if (head.path != "/metrics") return NotMine{};
    if (auto refusal = refuse_unless_read(head)) return std::move(*refusal);
    Answer answer;
    answer.content_type = kMetricsContentType;
    answer.body = text_();
    return answer;
  }

 private:
  std::function<std::string()> text_;
};

}  // namespace

std::shared_ptr<const Endpoint> metrics_endpoint(std::function<std::string()> text) {
  return std::make_shared<MetricsEndpoint>(std::move(text));
}

}  // namespace rt::server
