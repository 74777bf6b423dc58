// A stream of WAL records of a runs table, built by hand: for tests of what the hub does with them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/record.h"
#include "proto/pgoutput_writer.h"

namespace rt::test {

class RunStream {
 public:
  static constexpr std::uint32_t kOid = 16400;

  RunStream() {
    const std::array<pgoutput::Column, 4> columns = {
        {{1, "id", 25, -1}, {0, "env_id", 25, -1}, {0, "tags", 1009, -1}, {0, "status", 25, -1}}};
    std::string body;
    pgoutput::append_relation(body, kOid, "public", "task_run", 'f', columns);
    add(body);
  }

  struct Row {
    std::string id;
    std::string environment = "e";
    std::string tags = "{}";
    std::string status = "NEW";
  };

  void begin(std::uint64_t lsn) {
    std::string body;
    pgoutput::append_begin(body, {lsn, {}, 1});
    add(body);
  }
  void commit(std::uint64_t lsn) {
    std::string body;
    pgoutput::append_commit(body, {0, lsn, lsn + 8, {}});
    add(body);
  }
  void insert(const Row& row) {
    std::string body;
    const auto values = values_of(row);
    pgoutput::append_insert(body, kOid, std::span<const pgoutput::Value>(values));
    add(body);
  }
  void update(const Row& before, const Row& after) {
    std::string body;
    pgoutput::append_update(body, kOid, pgoutput::OldRow::full, values_of(before),
                            values_of(after));
    add(body);
  }
  void remove(const Row& row) {
    std::string body;
    pgoutput::append_delete(body, kOid, pgoutput::OldRow::full, values_of(row));
    add(body);
  }
  void truncate() {
    std::string body;
    const std::array<std::uint32_t, 1> oids{kOid};
    pgoutput::append_truncate(body, 0, oids);
    add(body);
  }

  // One change in a transaction of its own.
  void insert_at(std::uint64_t lsn, const Row& row) { begin(lsn), insert(row), commit(lsn); }
  void update_at(std::uint64_t lsn, const Row& before, const Row& after) {
    begin(lsn), update(before, after), commit(lsn);
  }

  const RecordBatch& batch() const { return batch_; }

 private:
  static std::array<pgoutput::Value, 4> values_of(const Row& row) {
    using pgoutput::ValueKind;
    return {{{ValueKind::text, row.id},
             {ValueKind::text, row.environment},
             {ValueKind::text, row.tags},
             {ValueKind::text, row.status}}};
  }
  void add(const std::string& body) { batch_.append({RecordKind::wal, false, 0, 0, body}); }

  RecordBatch batch_;
};

}  // namespace rt::test
