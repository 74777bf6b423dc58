// One of the recordings that `rtreplay merge` reads, with its next record in view.
// One thread.
#pragma once

#include <memory>
#include <string>

#include "archive/reader.h"
#include "rtreplay/stream_schema.h"

namespace rt::rtreplay {

class MergeSource {
 public:
  static Result<std::unique_ptr<MergeSource>> open(const std::string& path,
                                                   archive::OnDamage on_damage);

  // Goes to the next record that is passed on; schemas are learnt on the way.
  Result<void> advance();
  bool ended() const { return ended_; }
  const archive::Entry& head() const { return head_; }

  // The head starts what WAL order alone can place: a transaction, or a snapshot.
  bool at_wal_start() const;
  std::uint64_t wal_lsn() const;  // of that: commit LSN, or consistent point
  char letter() const { return archive::wal_letter(head_.record.body); }

  const std::string& path() const { return path_; }
  const StreamSchema& schema() const { return schema_; }
  const archive::Origin& origin() const { return reader_.header().origin; }
  // LSNs that it covers: (begin, end]. Nothing if it holds no WAL.
  bool has_wal() const { return origin().system_identifier != 0; }
  std::uint64_t covers_from() const { return origin().consistent_point; }
  std::uint64_t covers_to() const { return reader_.end_lsn(); }
  bool started() const { return started_; }
  void start() { started_ = true; }
  const archive::Reader& reader() const { return reader_; }

 private:
  MergeSource(std::string path, archive::Reader reader)
      : path_(std::move(path)), reader_(std::move(reader)) {}

  std::string path_;
  archive::Reader reader_;
  archive::Entry head_;
  StreamSchema schema_;
  bool ended_ = false;
  bool started_ = false;  // a transaction of it was taken
};

}  // namespace rt::rtreplay
