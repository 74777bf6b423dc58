// Publishes events by HTTP/1.1 POST over kept connections. Each connection has one request under
// way and a queue behind it; a topic belongs to one connection, so its events are taken in the
// order in which they were sent. What was asked and not answered, because the connection went, may
// have been taken: it is not accepted, and not sent again. With keys it is, with the same
// Idempotency-Key, by which the server tells (draft-ietf-httpapi-idempotency-key-header); the
// events of its connection wait behind it. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/socket.h"
#include "pipe/event_producer.h"
#include "pipe/event_text.h"

namespace rt {

struct HttpProducerOptions {
  std::string host;
  std::uint16_t port = 80;
  std::string authority;             // for the Host header
  EventText path;                    // path
  EventText body;                    // json
  std::vector<std::string> headers;  // "Authorization: Bearer x"
  unsigned connections = 16;
  // Of each event's Idempotency-Key, before its ticket; no two producers have the same. Empty:
  // none.
  std::string key_prefix;
};

class HttpProducer final : public EventProducer {
 public:
  // Code::unreachable when the host has no address or nobody answers there.
  static Result<std::unique_ptr<HttpProducer>> open(HttpProducerOptions options,
                                                    const Clock& clock);
  ~HttpProducer() override;

  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;
  Result<void> turn(Instant until, std::vector<Answer>& answers) override;
  const std::string& first_failure() const override { return first_failure_; }

 private:
  struct Lane;  // one connection
  HttpProducer(HttpProducerOptions options, io::Address address, const Clock& clock);

  void begin(Lane& lane);
  void advance(Lane& lane, short ready, std::vector<Answer>& answers);
  void write(Lane& lane, std::vector<Answer>& answers);
  void read(Lane& lane, std::vector<Answer>& answers);
  bool take(Lane& lane, std::string_view bytes, std::vector<Answer>& answers);
  void answered(Lane& lane, std::vector<Answer>& answers);
  void lost(Lane& lane, const std::string& why, std::vector<Answer>& answers);
  bool is_sent_again(const Lane& lane) const;
  void note_failure(const std::string& text);

  HttpProducerOptions options_;
  io::Address address_;
  const Clock& clock_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::function<std::string(std::uint32_t)> name_of_;
  std::string scratch_;
  std::string first_failure_;
};

}  // namespace rt
