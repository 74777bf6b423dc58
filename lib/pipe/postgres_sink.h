// A recording's row changes into a database: an Applier as a sink. Records that are no row changes
// of PostgreSQL (events, notifications) are counted and left out.
#pragma once

#include <cstdint>
#include <memory>

#include "pg/applier.h"
#include "pipe/sink.h"

namespace rt {

class PostgresSink final : public Sink {
 public:
  explicit PostgresSink(std::unique_ptr<Applier> applier) : applier_(std::move(applier)) {}

  Result<void> put(const RecordView& record) override;
  Result<void> flush() override { return applier_->flush(); }
  Result<void> close() override { return applier_->finish(); }

  Applier& applier() { return *applier_; }
  std::uint64_t left_out() const { return left_out_; }
  std::uint64_t gaps() const { return gaps_; }

 private:
  Result<void> put_wal(const RecordView& record);

  std::unique_ptr<Applier> applier_;
  std::uint64_t left_out_ = 0;
  std::uint64_t gaps_ = 0;
};

}  // namespace rt
