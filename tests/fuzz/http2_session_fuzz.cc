// A server's HTTP/2 session: the first byte chooses how the rest is cut and whether a preface goes
// before it. Whatever comes, streams and output stay within their bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "proto/http2_session.h"

namespace {

using namespace rt;

class Owner : public http2::Session::Owner {
 public:
  void on_request(http2::StreamId id, const http1::RequestHead& head) override {
    text[id].append(head.method).append(head.path).append(head.query);
    if (head.path.size() % 2 == 0) {
      opened.insert(id);
      session->open(id, 200, "Content-Type: text/event-stream\r\n");
    } else if (head.path.size() % 3 == 0) {
      respond(id, 200, std::string(head.path));
    }
  }
  void on_bad_request(http2::StreamId id, const http1::Refusal& refusal) override {
    text[id] += refusal.text;
    respond(id, refusal.status, refusal.text);
  }
  void on_body(http2::Tag tag, std::string_view bytes) override {
    if (text.count(id_of(tag)) == 0 || finished.count(id_of(tag)) != 0) std::abort();
    text[id_of(tag)] += bytes;
    finish_any(bytes.size() + 1);
  }
  void on_request_end(http2::Tag tag) override {
    if (session->write(id_of(tag), "during") != 0) std::abort();
    finished.insert(id_of(tag));
    session->end(id_of(tag));
  }
  void on_closed(http2::Tag tag) override {
    if (!finished.insert(id_of(tag)).second) std::abort();  // told of what it had finished
    if (session->write(id_of(tag), "late") != 0) std::abort();
  }
  void on_writable(http2::Tag tag) override { session->write(id_of(tag), "more"); }
  void respond(http2::StreamId id, int status, std::string body) {
    finished.insert(id);
    session->respond(id, status, "A: b\r\n", std::move(body));
  }
  // In the midst of things, the first that still stands.
  void finish_any(std::size_t choice) {
    const auto found = std::find_if(text.begin(), text.end(), [&](const auto& stream) {
      return finished.count(stream.first) == 0;
    });
    if (found == text.end() || choice % 4 > 1) return;
    const http2::StreamId id = found->first;
    const bool is_open = opened.count(id) != 0;
    if (choice % 4 == 0 && !is_open) return respond(id, 200, "late");
    finished.insert(id);
    choice % 4 == 0 ? session->end(id) : session->reset(id);
  }
  static http2::StreamId id_of(http2::Tag tag) { return static_cast<http2::StreamId>(tag); }

  http2::Session* session = nullptr;
  std::map<http2::StreamId, std::string> text;
  std::set<http2::StreamId> opened;
  std::set<http2::StreamId> finished;
};

void serve(std::string_view wire, std::size_t step) {
  http2::Limits limits;
  limits.output_bytes_max = 20'000;
  limits.streams_max = 20;
  Owner owner;
  http2::Session session(owner, limits);
  owner.session = &session;
  while (!wire.empty() && !session.is_over()) {
    const std::string_view piece = wire.substr(0, step);
    wire.remove_prefix(piece.size());
    session.receive(piece);
    for (auto& [id, text] : owner.text) session.write(id, std::string(100, 'e'));
    owner.finish_any(piece.size());
    session.settle();
    if (session.stream_count() > limits.streams_max) std::abort();
    if (session.output().size() > limits.output_bytes_end() + 20'000) std::abort();
    session.sent(session.output().size() / 2);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  std::string wire;
  if (bytes[0] % 2 == 1) {
    wire.append(http2::kPreface).append(std::string("\0\0\0\4\0\0\0\0\0", 9));  // and SETTINGS
  }
  wire.append(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  serve(wire, bytes[0] / 2u + 1);
  serve(wire, wire.size());
  return 0;
}
