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

}  // namespace

Result<void> PlayTransform::check(const TransformOptions& options) {
  RT_TRY(parse_rules(options.rewrites));
  RT_TRY(TableMap::parse(options.maps));
  RT_TRY(wants_fresh(options.ids));
  return {};
}

Result<PlayTransform> PlayTransform::open(const TransformOptions& options, std::int64_t recorded_us,
                                          const Clock& clock) {
  auto rules = RT_TRY(parse_rules(options.rewrites));
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
