#include "rtreplay/play_transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace rt::rtreplay {
namespace {

Result<std::vector<RewriteRule>> parse_rules(const std::vector<std::string>& texts) {
  std::vector<RewriteRule> rules;
  for (const std::string& text : texts) rules.push_back(RT_TRY(parse_rewrite_rule(text)));
  return rules;
}

Result<bool> wants_fresh(const std::string& ids) {
  if (ids == "original" || ids == "fresh") return ids == "fresh";
  return fail(Code::usage, fmt::format("--ids \"{}\" is none of original, fresh", ids));
}

// Before anything is sent: a misspelt name would let the value through as it is. Reads no further
// than to where each rule has met its column.
Result<void> check_met(archive::Reader& recording, ColumnRewriter probe) {
  RT_CHECKED(recording.rewind());
  archive::Entry entry;
  while (!probe.unmet().empty()) {
    const auto more = recording.next(entry);
    if (!more) return {};  // the replay says where it is damaged
    if (!*more) {
      return fail(
          Code::usage,
          fmt::format("--rewrite {} names no column of the recording", probe.unmet().front()),
          "nothing is played until it does: a misspelt name would let the value through");
    }
    const std::string_view body = entry.record.body;
    const bool describes = body.starts_with('R') || body.starts_with('Y');
    if (entry.record.kind == RecordKind::wal && describes) RT_TRY(probe.apply(entry.record));
  }
  return {};
}

}  // namespace

Result<void> PlayTransform::check(const TransformOptions& options) {
  RT_TRY(parse_rules(options.rewrites));
  RT_TRY(TableMap::parse(options.maps));
  RT_TRY(wants_fresh(options.ids));
  return {};
}

Result<PlayTransform> PlayTransform::open(const TransformOptions& options,
                                          archive::Reader& recording, std::int64_t recorded_us,
                                          const Clock& clock) {
  auto rules = RT_TRY(parse_rules(options.rewrites));
  RT_CHECKED(check_met(recording, ColumnRewriter(rules, {}, 0)));
  const bool hashes = std::any_of(rules.begin(), rules.end(), [](const RewriteRule& rule) {
    return rule.act == RewriteRule::Act::hash;
  });
  std::optional<PseudonymKey> key;
  if (hashes) key = RT_TRY(PseudonymKey::of_file(options.key_file, /*make=*/true));
  const std::int64_t age_us = recorded_us == 0 ? 0 : unix_us(clock.wall()) - recorded_us;
  std::unique_ptr<FreshIds> fresh;
  if (RT_TRY(wants_fresh(options.ids))) fresh = std::make_unique<FreshIds>(clock);
  return PlayTransform(ColumnRewriter(std::move(rules), key, age_us),
                       RT_TRY(TableMap::parse(options.maps)), std::move(fresh));
}

Result<RecordView> PlayTransform::apply(const RecordView& record) {
  const RecordView rewritten = RT_TRY(rewriter_.apply(record));
  const RecordView renamed = map_.apply(rewritten);
  return fresh_ != nullptr ? fresh_->apply(renamed) : renamed;
}

Result<RecordBatch*> PlayTransform::apply(RecordBatch& batch) {
  out_.clear();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const RecordView record = RT_TRY(apply(batch[i]));
    out_.append(record);
  }
  return &out_;
}

void PlayTransform::report() const {
  for (const std::string& text : rewriter_.unmet()) {
    std::fprintf(stderr, "rtreplay: warning: --rewrite %s met no column\n", text.c_str());
  }
}

}  // namespace rt::rtreplay
