// A server session with an owner that writes down what it is told, beside a client.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "proto/http2_client.h"
#include "proto/http2_session.h"

namespace rt::test {

struct Seen {
  std::string method;
  std::string target;
  std::string path;
  std::string query;
  std::map<std::string, std::string> headers;
  std::string body;
  bool has_body = false;
  bool ended = false;
  bool closed = false;
  int refusal = 0;
  int writable = 0;
};

// Answers each complete request with its path and body, but opens a stream for "/stream" and says
// nothing to "/wait".
class RecordingOwner : public http2::Session::Owner {
 public:
  void on_request(http2::StreamId id, const http1::RequestHead& head) override {
    Seen& seen = requests[id];
    seen.method = head.method;
    seen.target = head.target;
    seen.path = head.path;
    seen.query = head.query;
    seen.has_body = head.has_body();
    for (const auto& line : head.headers.lines()) {
      seen.headers[std::string(line.name)] = std::string(line.value);
    }
    if (seen.path == "/stream") {
      session->open(id, 200, "Content-Type: text/event-stream\r\nConnection: close\r\n");
    }
  }
  void on_bad_request(http2::StreamId id, const http1::Refusal& refusal) override {
    requests[id].refusal = refusal.status;
    session->respond(id, refusal.status, "", refusal.text);
  }
  void on_body(http2::Tag tag, std::string_view bytes) override { of(tag).body += bytes; }
  void on_request_end(http2::Tag tag) override {
    const auto id = static_cast<http2::StreamId>(tag);
    Seen& seen = requests[id];
    seen.ended = true;
    if (seen.path == "/stream" || seen.path == "/wait") return;
    session->respond(id, 200, "Content-Type: text/plain\r\n", seen.path + "|" + seen.body);
  }
  void on_closed(http2::Tag tag) override { of(tag).closed = true; }
  void on_writable(http2::Tag tag) override { ++of(tag).writable; }
  // A stream's tag is its number unless the test sets another.
  Seen& of(http2::Tag tag) { return requests[static_cast<http2::StreamId>(tag)]; }

  http2::Session* session = nullptr;
  std::map<http2::StreamId, Seen> requests;
};

struct Http2Server {
  explicit Http2Server(const http2::Limits& limits = {}) : session(owner, limits) {
    owner.session = &session;
  }
  std::string take_output() {
    std::string out(session.output());
    session.sent(out.size());
    session.settle();
    return out;
  }

  RecordingOwner owner;
  http2::Session session;
};

// Hands over what each has for the other until both are silent. False: the server broke the
// protocol.
inline bool talk(Http2Client& client, Http2Server& server, std::size_t step = std::string::npos) {
  for (;;) {
    const std::string up = client.take_output();
    for (std::size_t at = 0; at < up.size(); at += std::min(step, up.size() - at)) {
      server.session.receive(std::string_view(up).substr(at, step));
    }
    const std::string down = server.take_output();
    if (!client.receive(down)) return false;
    if (up.empty() && down.empty()) return true;
  }
}

}  // namespace rt::test
