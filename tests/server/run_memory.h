// What runs of a usual shape cost in memory: for a test of the limit and for the figure itself.
#pragma once

#include <malloc.h>

#include <array>
#include <cstdint>
#include <string>

#include "base/random.h"
#include "proto/pgoutput_writer.h"
#include "server/run_store.h"

namespace rt::test {

// Fills a store with runs of 300 bytes a row: a UUID as id, one of 1,000 environments, two of 100
// tags.
class RunMemory {
 public:
  explicit RunMemory(std::uint64_t seed) : random_(seed) {
    const std::array<pgoutput::Column, 4> columns = {
        {{1, "id", 2950, -1}, {0, "env_id", 25, -1}, {0, "tags", 1009, -1}, {0, "data", 25, -1}}};
    std::string body;
    pgoutput::append_relation(body, 1, "public", "task_run", 'f', columns);
    const auto decoded = pgoutput::decode(body);
    table_ = *server::RunTable::describe(std::get<pgoutput::Relation>(decoded.message));
    in_use_before_ = in_use();
  }

  void add(std::size_t runs) {
    for (std::size_t i = 0; i < runs; ++i) add_one();
  }
  // Beyond the bytes of the rows themselves.
  double bytes_per_run() const {
    return static_cast<double>(in_use() - in_use_before_ - kRowBytes * store_.size()) /
           static_cast<double>(store_.size());
  }
  server::RunStore& store() { return store_; }

 private:
  static constexpr std::size_t kRowBytes = 300;

  // Of the whole process: blocks of the heap and those mapped by themselves, with their headers.
  static std::size_t in_use() {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  }

  void add_one() {
    using pgoutput::ValueKind;
    char id[37];
    const std::uint64_t high = random_.next();
    const std::uint64_t low = random_.next();
    std::snprintf(id, sizeof id, "%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(high),
                  static_cast<unsigned>(high >> 32) & 0xFFFF,
                  static_cast<unsigned>(high >> 48) & 0xFFF,
                  static_cast<unsigned>(low >> 48) & 0xFFFF,
                  static_cast<unsigned long long>(low & 0xFFFF'FFFF'FFFF));
    const std::string environment = "environment-" + std::to_string(random_.below(1000));
    const std::uint64_t tag = random_.below(100);
    const std::string tags =
        "{tag-" + std::to_string(tag) + ",tag-" + std::to_string((tag + 1) % 100) + "}";
    constexpr std::size_t kFraming = 2 + 4 * 5;
    const std::string data(
        kRowBytes - kFraming - (sizeof id - 1) - environment.size() - tags.size(), 'd');
    const std::array<pgoutput::Value, 4> values = {{{ValueKind::text, id},
                                                    {ValueKind::text, environment},
                                                    {ValueKind::text, tags},
                                                    {ValueKind::text, data}}};
    row_.clear();
    pgoutput::append_tuple(row_, values);
    const auto tuple = *pgoutput::decode_tuple(row_);
    table_->read_facts(facts_, tuple);
    store_.put(table_, tuple, facts_.view());
  }

  Random random_;
  std::shared_ptr<const server::RunTable> table_;
  server::RunStore store_;
  server::OwnedRunFacts facts_;
  std::string row_;
  std::size_t in_use_before_ = 0;
};

}  // namespace rt::test
