#include "rtreplay/merge_streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace rt::rtreplay {
namespace {

using Tied = std::vector<MergeSource*>;

std::uint32_t changes_in(const MergeSource& source) {
  const RecordView& record = source.head().record;
  return record.kind == RecordKind::wal ? archive::row_changes(record.body) : 0;
}

// Where a record stands inside its transaction: a logical message before the row of its index.
std::pair<std::uint32_t, bool> place_of(const MergeSource& source) {
  return {source.head().position.index, changes_in(source) > 0};
}

bool ends_transaction(const MergeSource& source) {
  return source.ended() || (source.head().record.kind == RecordKind::wal && source.letter() == 'C');
}

class Merger {
 public:
  Merger(MergeSources& sources, Rewriter& out) : sources_(sources), out_(out) {}

  Result<MergeCounts> run() {
    for (MergeSource* next = choose(); next != nullptr; next = choose()) {
      if (!next->at_wal_start()) {
        RT_CHECKED(pass_head(*next));
      } else if (next->head().record.kind == RecordKind::snapshot_begin) {
        RT_CHECKED(start(*next));
        RT_CHECKED(copy_snapshot(*next));
      } else {
        RT_CHECKED(start(*next));
        RT_CHECKED(copy_transaction(tied_with(*next)));
      }
    }
    return counts_;
  }

 private:
  // Of the transactions in view only that with the lowest LSN may come; of that and the heads that
  // are no transaction the earliest, and of several at one time the first in order of sources.
  MergeSource* choose() const {
    std::uint64_t lowest = ~std::uint64_t{0};
    for (const auto& source : sources_) {
      if (source->at_wal_start()) lowest = std::min(lowest, source->wal_lsn());
    }
    MergeSource* best = nullptr;
    for (const auto& source : sources_) {
      if (source->ended() || (source->at_wal_start() && source->wal_lsn() != lowest)) continue;
      if (best == nullptr || source->head().t_hi < best->head().t_hi) best = source.get();
    }
    return best;
  }

  Result<void> pass_head(MergeSource& source) {
    RT_CHECKED(out_.pass(source.head(), source.schema()));
    return source.advance();
  }

  // Before the first transaction of a source: is anything unknown between it and those before?
  Result<void> start(MergeSource& source) {
    if (source.started()) return {};
    source.start();
    std::uint64_t known_to = 0;
    bool others = false;
    for (const auto& other : sources_) {
      if (other.get() == &source || !other->started()) continue;
      if (!other->ended()) return {};
      others = true;
      known_to = std::max(known_to, other->covers_to());
    }
    if (!others || known_to >= source.covers_from()) return {};
    ++counts_.gaps;
    return out_.gap(fmt::format("merge: no recording holds what is between {} and {}",
                                lsn_text(known_to), lsn_text(source.covers_from())));
  }

  Result<void> copy_snapshot(MergeSource& source) {
    bool more = true;
    while (more && !source.ended()) {
      more = source.head().record.kind != RecordKind::snapshot_end;
      RT_CHECKED(pass_head(source));
    }
    return {};
  }

  Tied tied_with(const MergeSource& first) const {
    Tied tied;
    for (const auto& source : sources_) {
      if (source->at_wal_start() && source->head().record.kind == RecordKind::wal &&
          source->wal_lsn() == first.wal_lsn()) {
        tied.push_back(source.get());
      }
    }
    return tied;
  }

  Result<void> copy_transaction(const Tied& tied) {
    RT_CHECKED(out_.pass(tied.front()->head(), tied.front()->schema()));
    for (MergeSource* source : tied) {
      RT_CHECKED(start(*source));
      RT_CHECKED(source->advance());
    }
    std::uint32_t next_index = 0;
    for (;;) {
      MergeSource* first = nullptr;
      for (MergeSource* source : tied) {
        if (ends_transaction(*source)) continue;
        if (first == nullptr || place_of(*source) < place_of(*first)) first = source;
      }
      if (first == nullptr) break;
      RT_CHECKED(copy_change(tied, *first, next_index));
    }
    for (MergeSource* source : tied) {
      if (source->ended()) continue;
      if (source == tied.front()) RT_CHECKED(out_.pass(source->head(), source->schema()));
      RT_CHECKED(source->advance());
    }
    return {};
  }

  // Writes the head of `first` once, whoever else holds it.
  Result<void> copy_change(const Tied& tied, MergeSource& first, std::uint32_t& next_index) {
    const std::uint32_t changes = changes_in(first);
    const std::uint32_t index = first.head().position.index;
    if (changes > 0 && index < next_index) {  // inside a T that names several tables
      ++counts_.duplicates;
      return first.advance();
    }
    const auto place = place_of(first);
    RT_CHECKED(out_.pass(first.head(), first.schema()));
    for (MergeSource* other : tied) {
      if (other == &first || ends_transaction(*other) || place_of(*other) != place) continue;
      const bool same = other->head().record.kind == first.head().record.kind &&
                        other->head().record.body == first.head().record.body;
      if (!same && changes > 0) return differs(first, *other);
      if (!same) continue;  // a logical message, an origin: another one
      ++counts_.duplicates;
      RT_CHECKED(other->advance());
    }
    next_index = std::max(next_index, index + changes);
    return first.advance();
  }

  static tl::unexpected<Error> differs(const MergeSource& a, const MergeSource& b) {
    return fail(Code::refused,
                fmt::format("cannot merge {} and {}: they hold different changes at {}", a.path(),
                            b.path(), a.head().position.text()),
                "recordings of different publications number their rows differently; merge those "
                "of one publication");
  }

  MergeSources& sources_;
  Rewriter& out_;
  MergeCounts counts_;
};

Result<void> check_pair(const MergeSource& a, const MergeSource& b) {
  const archive::Origin& x = a.origin();
  const archive::Origin& y = b.origin();
  if (x.system_identifier != y.system_identifier) {
    return fail(Code::refused,
                fmt::format("cannot merge {} and {}: they record two clusters, {} and {}", a.path(),
                            b.path(), x.system_identifier, y.system_identifier),
                "positions of two clusters have no common order; convert one to events first");
  }
  const MergeSource& older = x.timeline < y.timeline ? a : b;
  const MergeSource& newer = x.timeline < y.timeline ? b : a;
  if (x.timeline != y.timeline && older.covers_to() > newer.covers_from()) {
    return fail(
        Code::refused,
        fmt::format("cannot merge {} and {}: timeline {} reaches {}, timeline {} begins at {}",
                    older.path(), newer.path(), older.origin().timeline,
                    lsn_text(older.covers_to()), newer.origin().timeline,
                    lsn_text(newer.covers_from())),
        "after a failover the same LSNs mean other changes; cut the older recording first");
  }
  return {};
}

}  // namespace

Result<archive::Origin> merged_origin(const MergeSources& sources) {
  archive::Origin origin;
  const MergeSource* first = nullptr;
  auto of = nlohmann::ordered_json::array();
  for (const auto& source : sources) {
    auto notes = nlohmann::ordered_json::parse(source->origin().notes_json, nullptr, false);
    if (notes.is_discarded()) notes = nullptr;
    of.push_back({{"path", source->path()}, {"notes", std::move(notes)}});
    if (!source->has_wal()) continue;
    if (first == nullptr) {
      first = source.get();
      origin = source->origin();
      continue;
    }
    for (const auto& other : sources) {
      if (other.get() == source.get()) break;
      if (other->has_wal()) RT_CHECKED(check_pair(*other, *source));
    }
    origin.timeline = std::max(origin.timeline, source->origin().timeline);
    origin.consistent_point = std::min(origin.consistent_point, source->covers_from());
  }
  origin.notes_json = nlohmann::ordered_json{{"merged", std::move(of)}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  return origin;
}

Result<MergeCounts> merge_streams(MergeSources& sources, Rewriter& out) {
  return Merger(sources, out).run();
}

}  // namespace rt::rtreplay
