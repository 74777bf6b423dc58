// Requests: from bytes to a stream, an answer or a refusal.
#include <fmt/format.h>

#include <algorithm>

#include "server/run_go_frames.h"
#include "server/shard.h"

namespace rt::server {

void Shard::on_readable(Slot slot) {
  const std::uint32_t generation = connections_[slot].generation;
  // Bounded, so that one client that sends without end does not hold up the others.
  constexpr int kReadsPerTurn = 4;
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const Received received = receive(slot);
    if (received.gone) return close(slot);
    if (received.bytes.empty()) return;
    take_input(slot, received.bytes);
    if (connections_[slot].generation != generation || received.drained) return;
  }
}

// What was kept while it might have been HTTP/2 goes first: less than a request line.
http1::HeadStatus Shard::receive_head(Incoming& incoming, std::string_view& bytes) {
  if (!incoming.pending.empty()) {
    std::string_view kept = incoming.pending;
    (void)incoming.parser.receive(kept);
    incoming.pending.clear();
  }
  return incoming.parser.receive(bytes);
}

void Shard::take_input(Slot slot, std::string_view bytes) {
  const std::uint32_t generation = connections_[slot].generation;
  while (!bytes.empty() && connections_[slot].generation == generation) {
    Connection& connection = connections_[slot];
    switch (connection.state) {
      case Connection::State::reading: {
        if (connection.backlog) return hold_input(slot, bytes);  // it does not take its answers
        if (!connection.incoming) {
          connection.incoming = std::make_unique<Incoming>(options_.limits);
        }
        if (sniff_http2(slot, bytes)) return;
        // Held here, because routing may end the connection and its parser with it.
        const std::unique_ptr<Incoming>& incoming = connection.incoming;
        const http1::HeadStatus status = receive_head(*incoming, bytes);
        if (status == http1::HeadStatus::need_more) return;
        if (status == http1::HeadStatus::bad) {
          refuse(slot, incoming->parser.refusal_status(),
                 fmt::format("{}\n", incoming->parser.refusal_text()));
          return;
        }
        route(slot, incoming->parser.head());
        break;
      }
      case Connection::State::body:
        take_body(slot, bytes);
        break;
      case Connection::State::carrying:
        return take_frames(slot, bytes);
      case Connection::State::answering:
        return hold_input(slot, bytes);
      default:
        return;  // a subscriber has nothing more to say
    }
  }
}

// A request before the answer to the one before has been taken waits here; the amount is bounded.
void Shard::hold_input(Slot slot, std::string_view bytes) {
  Connection& connection = connections_[slot];
  if (!connection.incoming) connection.incoming = std::make_unique<Incoming>(options_.limits);
  std::string& pending = connection.incoming->pending;
  if (pending.size() + bytes.size() > kReadBytes) return close(slot);
  pending.append(bytes);
}

void Shard::route(Slot slot, const http1::RequestHead& head) {
  Incoming& incoming = *connections_[slot].incoming;
  incoming.keep_alive = head.keep_alive;
  incoming.head_only = head.method == "HEAD";
  if (journal_) journal_->begin(slot, head, peer_of(connections_[slot]));
  const bool is_health = this->is_health(head.path);
  if (options_.has_health_port) {
    const bool is_metrics = head.path == "/metrics" && connections_[slot].for_health;
    if (is_health != connections_[slot].for_health && !is_metrics) {
      return refuse(slot, 404, "404 page not found\n");
    }
  }
  if (phase_ != Phase::serving && is_health) return tell_health(slot, head);
  if (options_.cors != nullptr) {
    connections_[slot].cors = options_.cors->judge(head);
    if (CorsPolicy::is_preflight(head)) {
      return respond(slot, {.status = 204,
                            .extra_headers = CorsPolicy::preflight_lines(connections_[slot].cors),
                            .keep_alive = head.keep_alive && !head.has_body()});
    }
  }
  if (route_surfaces(slot, head)) return;
  const bool get = head.method == "GET";
  if (journal_ && options_.runs && head.path.starts_with("/v1/runs")) {
    journal_->note_surface(slot, Surface::runs);
  }
  if (options_.runs && head.path == "/v1/runs/stream") {
    if (get) return open_runs(slot, head);
    return refuse(slot, 405, "Method not allowed\n", "Allow: GET\r\n");
  }
  if (is_health) return tell_health(slot, head);
  if (options_.runs && head.path == "/v1/runs") {
    if (head.method == "POST") return begin_publish(slot, head);
    return refuse(slot, 405, "Method not allowed\n", "Allow: POST\r\n");
  }
  refuse(slot, 404, "not found; GET /health names the surfaces that are served\n");
}

bool Shard::is_health(std::string_view path) const {
  const auto& paths = options_.health_paths;
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

// A server that drains wants no more requests, and says so to who spreads them.
void Shard::tell_health(Slot slot, const http1::RequestHead& head) {
  const bool head_only = head.method == "HEAD";
  if ((head.method != "GET" && !head_only) || head.has_body()) {
    return refuse(slot, 405, "Method not allowed\n", "Allow: GET, HEAD\r\n");
  }
  const std::string health = options_.health();
  respond(slot, {.status = phase_ == Phase::serving ? 200 : 503,
                 .content_type = "application/json",
                 .body = health,
                 .keep_alive = head.keep_alive,
                 .head_only = head_only});
}

void Shard::open_runs(Slot slot, const http1::RequestHead& head) {
  if (head.has_body()) return refuse(slot, 400, "a stream request has no body\n");
  if (!counters_.ready) {
    return refuse(slot, 503, "warming up: the current state is being read\n", "Retry-After: 1\r\n");
  }
  auto filter = RunFilter::parse(head.parameter("filter").value_or(""), options_.tags_match);
  if (!filter) {
    if (options_.compat_go) return refuse(slot, 400, kGoInvalidFilter);
    return refuse(slot, 400, fmt::format("Invalid filter: {}\n", filter.error().text));
  }
  const std::string_view last_id = head.header("Last-Event-ID");
  const std::optional<Position> resume = Position::parse(last_id);
  // LSN 0 stands for a set of rows that was not complete: the subscriber starts anew (catch_up.h).
  Begin begin;
  if (resume && resume->lsn != 0) begin.resume = resume;
  begin.foreign_id = !begin.resume && !last_id.empty();
  begin.new_only = head.parameter("initial").value_or("") == "none";
  connections_[slot].incoming.reset();  // and with it the head
  subscribe(slot, std::make_shared<const RunFilter>(std::move(*filter)), begin);
}

void Shard::begin_publish(Slot slot, const http1::RequestHead& head) {
  if (!options_.accepts_publish) {
    return refuse(slot, 405, "runs are published by changing rows in the database\n",
                  "Allow: \r\n");
  }
  if (phase_ != Phase::serving) return refuse_draining(slot);
  if (!head.has_body()) return refuse(slot, 400, "expected a row as a JSON object\n");
  await_body(slot, head, options_.limits.body_bytes_max);
}

void Shard::finish_publish(Slot slot) {
  if (phase_ != Phase::serving) return refuse_draining(slot);
  Connection& connection = connections_[slot];
  ToHub message;
  message.kind = ToHub::Kind::publish;
  message.connection = id_of(slot);
  message.text = std::move(connection.incoming->body);
  connection.state = Connection::State::answering;
  tell_hub(std::move(message));
}

void Shard::await_request(Slot slot) {
  Connection& connection = connections_[slot];
  connection.state = Connection::State::reading;
  connection.cors = CorsPolicy::kNone;
  ++connection.requests;
  const Deadline deadline{now_ + options_.request_time, slot, connection.generation,
                          connection.requests};
  // Requests that came in one read have one deadline: thousands of them would fill the queue.
  if (!request_deadlines_.empty() && request_deadlines_.back().slot == slot) {
    request_deadlines_.back() = deadline;
  } else {
    request_deadlines_.push_back(deadline);
  }
}

// Answers a request; afterwards the connection waits for the next one, or ends. A stream ends.
void Shard::respond(Slot slot, const Response& response) {
  if (options_.cors == nullptr) return send_answer(slot, response);
  std::string lines(response.extra_headers);
  options_.cors->apply(lines, connections_[slot].cors);
  Response decided = response;
  decided.extra_headers = lines;
  send_answer(slot, decided);
}

void Shard::send_answer(Slot slot, const Response& response) {
  if (journal_) {
    const std::size_t body_bytes = response.head_only ? 0 : response.body.size();
    journal_->answered(slot, response.status, body_bytes, peer_of(connections_[slot]));
  }
  if (connections_[slot].stream != 0) return respond_on_stream(slot, response);
  const std::uint32_t generation = connections_[slot].generation;
  const std::unique_ptr<Incoming> done = std::move(connections_[slot].incoming);
  write_text(slot, render(response));
  if (connections_[slot].generation != generation) return;
  if (!response.keep_alive) return end_after_output(slot);
  await_request(slot);
  if (done != nullptr && !done->pending.empty()) take_input(slot, done->pending);
}

// A refused request ends the connection: what follows it may be its body.
void Shard::refuse(Slot slot, int status, std::string_view text, std::string_view extra_headers) {
  counters_.requests_refused.fetch_add(1, std::memory_order_relaxed);
  respond(slot,
          {.status = status, .body = text, .extra_headers = extra_headers, .keep_alive = false});
}

}  // namespace rt::server
