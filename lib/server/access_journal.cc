#include "server/access_journal.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "io/socket.h"

namespace rt::server {
namespace {

// A line for each of 400,000 streams at once: the writer takes them in half of this, a file that
// does not take them must not hold up the end.
constexpr auto kShutPatience = std::chrono::seconds(1);

}  // namespace

AccessRecord AccessJournal::blank(Peer peer) const {
  AccessRecord record;
  record.tls = peer.tls;
  const auto address = io::peer_address(peer.fd);
  record.peer = address ? address->text() : "-";
  record.at = clock_.wall();
  return record;
}

void AccessJournal::begin(Slot slot, const http1::RequestHead& head, Peer peer) {
  if (slot >= entries_.size()) entries_.resize(slot + 1);
  auto entry = std::make_unique<Entry>();
  entry->record = blank(peer);
  entry->record.version = static_cast<std::uint8_t>(head.version);
  entry->record.method = head.method.substr(0, kPathBytesMax);
  entry->record.path = shown_path(head.target);
  entry->record.query = shown_query(head.query);
  entry->began = clock_.now();
  entries_[slot] = std::move(entry);
}

void AccessJournal::note_surface(Slot slot, Surface surface) {
  if (Entry* const entry = find(slot)) entry->record.surface = surface;
}

void AccessJournal::note_principal(Slot slot, const std::string& principal) {
  if (Entry* const entry = find(slot)) entry->record.principal = principal.substr(0, kPathBytesMax);
}

void AccessJournal::note_reason(Slot slot, const char* reason) {
  Entry* const entry = find(slot);
  if (entry != nullptr && *entry->record.reason == '\0') entry->record.reason = reason;
}

void AccessJournal::tell(const Entry& entry, AccessRecord::Kind kind) {
  AccessRecord record = entry.record;
  record.kind = kind;
  record.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(entry.bytes, 0));
  record.took = clock_.now() - entry.began;
  if (kind == AccessRecord::Kind::end) record.at = clock_.wall();
  tap_.write(std::move(record));
}

void AccessJournal::answered(Slot slot, int status, std::size_t body_bytes, Peer peer) {
  Entry* const entry = find(slot);
  if (entry == nullptr) return refused(status, peer);
  entry->record.status = status;
  entry->bytes = static_cast<std::int64_t>(body_bytes);
  tell(*entry, AccessRecord::Kind::request);
  entries_[slot].reset();
}

void AccessJournal::refused(int status, Peer peer) {
  AccessRecord record = blank(peer);
  record.status = status;
  tap_.write(std::move(record));
}

void AccessJournal::opened(Slot slot, std::size_t head_bytes) {
  Entry* const entry = find(slot);
  if (entry == nullptr) return;
  entry->record.status = 200;
  entry->is_open = true;
  tell(*entry, AccessRecord::Kind::open);
  entry->bytes = -static_cast<std::int64_t>(head_bytes);
}

void AccessJournal::wrote(Slot slot, std::size_t bytes) {
  Entry* const entry = find(slot);
  if (entry != nullptr && entry->is_open) entry->bytes += static_cast<std::int64_t>(bytes);
}

void AccessJournal::shut() {
  const Instant patience = clock_.now() + kShutPatience;
  for (Slot slot = 0; slot < entries_.size(); ++slot) {
    if (entries_[slot] == nullptr) continue;
    while (tap_.is_full() && clock_.now() < patience) std::this_thread::yield();
    note_reason(slot, "shutdown");
    gone(slot);
  }
}

void AccessJournal::gone(Slot slot) {
  Entry* const entry = find(slot);
  if (entry == nullptr) return;
  note_reason(slot, "client");
  tell(*entry, entry->is_open ? AccessRecord::Kind::end : AccessRecord::Kind::request);
  entries_[slot].reset();
}

}  // namespace rt::server
