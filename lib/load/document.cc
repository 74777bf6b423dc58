#include "load/document.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/text.h"

namespace rt {
namespace {

// One step of a path inside `node`: the child it names, made if `node` is an object without it.
Result<JsonNode*> step_into(JsonNode& node, std::string_view step, const std::string& where) {
  using Kind = JsonNode::Kind;
  if (node.kind == Kind::null) node.kind = Kind::object;
  if (node.kind == Kind::object) {
    if (JsonNode* child = node.find(step)) return child;
    node.put(std::string(step), JsonNode{});
    return &node.items.back();
  }
  if (node.kind != Kind::array) {
    return fail(Code::usage, fmt::format("{}: \"{}\" leads into {}, which has no parts", where,
                                         step, describe(node)));
  }
  const auto index = parse_decimal(step);
  if (index && *index < node.items.size()) return &node.items[*index];
  std::string names;
  for (JsonNode& item : node.items) {
    for (const char* key : {"name", "id"}) {
      const JsonNode* label = item.find(key);
      if (label == nullptr) continue;
      if (label->text == step) return &item;
      names += (names.empty() ? "" : ", ") + label->text;
    }
  }
  return fail(Code::usage, fmt::format("{}: no element \"{}\" in a list of {}{}", where, step,
                                       node.items.size(), names.empty() ? "" : " (" + names + ")"));
}

void append_canonical(std::string& out, const JsonNode& node) {
  using Kind = JsonNode::Kind;
  switch (node.kind) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += node.boolean ? "true" : "false";
      return;
    case Kind::number:
      out += node.text;
      return;
    case Kind::string:
      append_json_string(out, node.text);
      return;
    case Kind::array:
    case Kind::object:
      break;
  }
  const bool object = node.kind == Kind::object;
  std::vector<std::size_t> order(node.items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (object) {
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return node.keys[a] < node.keys[b]; });
  }
  out += object ? '{' : '[';
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i != 0) out += ',';
    if (object) {
      append_json_string(out, node.keys[order[i]]);
      out += ':';
    }
    append_canonical(out, node.items[order[i]]);
  }
  out += object ? '}' : ']';
}

void mark_origin(JsonNode& node, const std::string& where) {
  node.where = where;
  for (JsonNode& item : node.items) mark_origin(item, where);
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == key) return &items[i];
  }
  return nullptr;
}

JsonNode* JsonNode::find(std::string_view key) {
  return const_cast<JsonNode*>(std::as_const(*this).find(key));
}

void JsonNode::put(std::string key, JsonNode value) {
  if (JsonNode* existing = find(key)) {
    *existing = std::move(value);
    return;
  }
  keys.push_back(std::move(key));
  items.push_back(std::move(value));
}

void merge_document(JsonNode& base, const JsonNode& over) {
  const bool objects = base.kind == JsonNode::Kind::object && over.kind == JsonNode::Kind::object;
  if (!objects || over.find("dist") != nullptr) {
    base = over;
    return;
  }
  base.where = over.where;
  for (std::size_t i = 0; i < over.keys.size(); ++i) {
    if (JsonNode* existing = base.find(over.keys[i])) {
      merge_document(*existing, over.items[i]);
    } else {
      base.put(over.keys[i], over.items[i]);
    }
  }
}

Result<void> apply_override(JsonNode& document, std::string_view assignment) {
  const std::string where = fmt::format("--set {}", assignment);
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(Code::usage, where + ": expected PATH=VALUE",
                "for example --set phases.main.hold=60s");
  }
  JsonNode* node = &document;
  for (const std::string_view step : split(assignment.substr(0, equals), '.')) {
    if (step.empty()) return fail(Code::usage, where + ": the path has an empty part");
    node = RT_TRY(step_into(*node, step, where));
  }
  const std::string_view value = assignment.substr(equals + 1);
  auto parsed = parse_document(value, where);
  if (parsed) {
    *node = std::move(*parsed);
  } else {
    *node = JsonNode{};
    node->kind = JsonNode::Kind::string;
    node->text = value;
  }
  mark_origin(*node, where);
  return {};
}

std::string canonical_text(const JsonNode& node) {
  std::string out;
  append_canonical(out, node);
  return out;
}

std::string describe(const JsonNode& node) {
  switch (node.kind) {
    case JsonNode::Kind::array:
      return node.items.empty() ? "an empty list" : "a list";
    case JsonNode::Kind::object:
      return "an object";
    default:
      break;
  }
  std::string text = canonical_text(node);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  RT_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) ==
           1);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace rt
