// A record: one thing that happened on a stream, with the bytes it came in. Sources yield batches
// of records, sinks take them, an archive stores them. The body is opaque here; its layout follows
// from the kind (docs/recording-format.md, section "Record bodies").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rt {

enum class RecordKind : std::uint8_t {
  wal = 'w',             // one pgoutput message, byte for byte
  snapshot_begin = 'b',  // state before this record is void; body: consistent point, names
  snapshot_row = 's',  // u32 relation oid (little-endian), then one COPY text line without newline
  snapshot_end = 'c',  // the snapshot is complete; lsn is its consistent point
  keepalive = 'k',     // sample of the server's position and clock
  gap = 'G',           // events lost and known to be lost; body: reason text
  abandon = 'A',       // the open transaction was cut off and will come again from its Begin
  sse = 'e',           // one server-sent event: id, event, data
  notify = 'n',        // one NOTIFY: channel, payload, pid
  redis = 'r',         // one Redis message: channel, payload
  http = 'h',          // one HTTP publish: method, path, body
  receipt = 'R',       // a subscriber received an event
  mark = 'm',          // an operator's marker; body: text
  state = 'S',         // a relation's multiset hash at this point
  two_phase = 'p',     // what the server said of a prepared transaction, as one pgoutput message
  left_out = 'x',      // row changes of the open transaction that a filter took away: how many
};

struct RecordView {
  RecordKind kind = RecordKind::wal;
  // Set on Relation and Type messages that repeat what a decoder needs to start here. They are no
  // news of the stream: whoever decodes takes them, whoever counts or re-sends ignores them.
  bool prelude = false;
  std::uint64_t lsn = 0;  // XLogData start LSN for wal (may be 0), else the record's own position
  std::int64_t received_us = 0;  // Unix microseconds when we got it
  std::string_view body;
};

// Records packed into one buffer: appending costs no allocation once the batch has grown.
// A value; one thread at a time. Views are valid until the next append or clear.
class RecordBatch {
 public:
  void append(const RecordView& record) {
    entries_.push_back({bytes_.size(), record.body.size(), record.lsn, record.received_us,
                        record.kind, record.prelude});
    bytes_.append(record.body);
  }
  void clear() {
    entries_.clear();
    bytes_.clear();
  }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  std::size_t body_bytes() const { return bytes_.size(); }
  RecordView operator[](std::size_t i) const {
    const Entry& e = entries_[i];
    return {e.kind, e.prelude, e.lsn, e.received_us,
            std::string_view(bytes_).substr(e.offset, e.size)};
  }

 private:
  struct Entry {
    std::size_t offset;
    std::size_t size;
    std::uint64_t lsn;
    std::int64_t received_us;
    RecordKind kind;
    bool prelude;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace rt
