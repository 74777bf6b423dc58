// What becomes of records between a recording and where it is played: columns are rewritten, then
// tables renamed, then new ids given. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/reader.h"
#include "base/clock.h"
#include "base/record.h"
#include "base/result.h"
#include "pipe/record_stamp.h"
#include "pipe/table_map.h"
#include "rtreplay/column_rewriter.h"

namespace rt::rtreplay {

struct TransformOptions {
  std::vector<std::string> rewrites;
  std::string key_file;  // of pseudonyms; made if it is missing
  std::vector<std::string> maps;
  std::string ids = "original";
};

class PlayTransform {
 public:
  // What can be checked before anything else: Code::usage.
  static Result<void> check(const TransformOptions& options);
  // recorded_us: when the recording begins, Unix us. Code::usage: a rule names no column of it. The
  // clock must outlive the transform.
  static Result<PlayTransform> open(const TransformOptions& options, archive::Reader& recording,
                                    std::int64_t recorded_us, const Clock& clock);

  // Nothing was asked for: every record goes on as it is.
  bool empty() const { return rewriter_.empty() && map_.empty() && fresh_ == nullptr; }
  // The record as it goes on; its body may be in our memory until the next call.
  Result<RecordView> apply(const RecordView& record);
  // The whole batch; valid until the next call.
  Result<RecordBatch*> apply(RecordBatch& batch);

  // What was asked for and met nothing, on standard error.
  void report() const;

 private:
  PlayTransform(ColumnRewriter rewriter, TableMap map, std::unique_ptr<FreshIds> fresh)
      : rewriter_(std::move(rewriter)), map_(std::move(map)), fresh_(std::move(fresh)) {}

  ColumnRewriter rewriter_;
  TableMap map_;
  std::unique_ptr<FreshIds> fresh_;
  RecordBatch out_;
};

}  // namespace rt::rtreplay
