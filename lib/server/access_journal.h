// What one shard notes of its requests until the access log can be told. Exists only if there is a
// log. By slot of the connection; one thread (the shard's).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "proto/http1_request.h"
#include "server/access_log.h"

namespace rt::server {

class AccessJournal {
 public:
  using Slot = std::uint32_t;
  struct Peer {
    int fd = -1;
    bool tls = false;
  };

  AccessJournal(AccessLog::Tap& tap, const Clock& clock) : tap_(tap), clock_(clock) {}

  void begin(Slot slot, const http1::RequestHead& head, Peer peer);
  void note_surface(Slot slot, Surface surface);
  void note_principal(Slot slot, const std::string& principal);
  // Answered as a whole. Without begin() it is one whose head could not be read.
  void answered(Slot slot, int status, std::size_t body_bytes, Peer peer);
  // Refused before it had a slot.
  void refused(int status, Peer peer);

  // head_bytes: of what is going to be written and is no part of the stream.
  void opened(Slot slot, std::size_t head_bytes);
  void wrote(Slot slot, std::size_t bytes);
  // Why the stream is about to end; the first reason holds.
  void note_reason(Slot slot, const char* reason);
  // The connection is gone, whatever it was.
  void gone(Slot slot);
  // The server stops: streams that still stand end with it.
  void shut();

 private:
  struct Entry {
    AccessRecord record;
    Instant began;
    std::int64_t bytes = 0;
    bool is_open = false;
  };
  Entry* find(Slot slot) { return slot < entries_.size() ? entries_[slot].get() : nullptr; }
  AccessRecord blank(Peer peer) const;
  void tell(const Entry& entry, AccessRecord::Kind kind);

  AccessLog::Tap& tap_;
  const Clock& clock_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace rt::server
