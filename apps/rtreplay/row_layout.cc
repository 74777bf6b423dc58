#include "rtreplay/row_layout.h"

#include <algorithm>

#include "base/text.h"

namespace rt::rtreplay {

void RowLayouts::learn(const pgoutput::Relation& relation) {
  RowLayout layout;
  layout.name = relation.schema.empty() ? "pg_catalog" : relation.schema;
  layout.name += '.';
  layout.name += relation.name;
  append_json_string(layout.json_name, layout.name);
  bool all_keys = true;
  for (const pgoutput::Column column : relation.columns) {
    RowLayout::Column made;
    made.name = column.name;
    append_json_string(made.json_name, column.name);
    made.json_name += ':';
    made.is_key = (column.flags & 1) != 0;
    all_keys = all_keys && made.is_key;
    layout.columns.push_back(std::move(made));
  }
  const RowLayout* before = find(relation.oid);
  if (relation.identity == 'f' && all_keys && before != nullptr) {
    for (RowLayout::Column& column : layout.columns) {
      column.is_key = std::any_of(
          before->columns.begin(), before->columns.end(),
          [&](const RowLayout::Column& old) { return old.is_key && old.name == column.name; });
    }
  }
  layout.key_known = std::any_of(layout.columns.begin(), layout.columns.end(),
                                 [](const RowLayout::Column& column) { return column.is_key; });
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    if (layout.columns[i].is_key) layout.key_end = i + 1;
  }
  layouts_[relation.oid] = std::move(layout);
}

const RowLayout* RowLayouts::find(std::uint32_t oid) const {
  if (last_ != nullptr && last_oid_ == oid) return last_;
  const auto found = layouts_.find(oid);
  if (found == layouts_.end()) return nullptr;
  last_oid_ = oid;
  last_ = &found->second;
  return last_;
}

}  // namespace rt::rtreplay
