#include "rtctl/event_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace rt::rtctl {
namespace {

using nlohmann::json;

enum class Op : std::uint8_t { equal, unequal, less, less_equal, more, more_equal, has, exists };

// Longer spellings first: "<=" begins with "<".
constexpr std::array<std::pair<std::string_view, Op>, 8> kOps = {{{"==", Op::equal},
                                                                  {"!=", Op::unequal},
                                                                  {"<=", Op::less_equal},
                                                                  {">=", Op::more_equal},
                                                                  {"=", Op::equal},
                                                                  {"<", Op::less},
                                                                  {">", Op::more},
                                                                  {"~", Op::has}}};

tl::unexpected<Error> unreadable(const std::string& text, std::string_view why) {
  return fail(Code::usage, fmt::format("filter \"{}\": {}", text, why),
              "for example --filter '/status = running' or --filter '/seq >= 10'");
}

json value_of(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json(std::string(text)) : value;
}

// Numbers with numbers, texts with texts; other pairs have no order.
bool comparable(const json& a, const json& b) {
  return (a.is_number() && b.is_number()) || (a.is_string() && b.is_string());
}

bool has(const json& value, const json& part) {
  if (value.is_array()) return std::find(value.begin(), value.end(), part) != value.end();
  if (!value.is_string()) return false;
  const std::string wanted = part.is_string() ? part.get<std::string>() : part.dump();
  return value.get_ref<const std::string&>().find(wanted) != std::string::npos;
}

bool holds(const json& value, Op op, const json& wanted) {
  switch (op) {
    case Op::equal:
      return value == wanted;
    case Op::unequal:
      return value != wanted;
    case Op::less:
      return comparable(value, wanted) && value < wanted;
    case Op::less_equal:
      return comparable(value, wanted) && value <= wanted;
    case Op::more:
      return comparable(value, wanted) && value > wanted;
    case Op::more_equal:
      return comparable(value, wanted) && value >= wanted;
    case Op::has:
      return has(value, wanted);
    case Op::exists:
      return true;
  }
  return false;
}

}  // namespace

struct EventFilter::Condition {
  json::json_pointer pointer;
  Op op = Op::exists;
  json value;
};

EventFilter::EventFilter() = default;
EventFilter::~EventFilter() = default;
EventFilter::EventFilter(EventFilter&&) noexcept = default;
EventFilter& EventFilter::operator=(EventFilter&&) noexcept = default;

Result<EventFilter> EventFilter::parse(const std::vector<std::string>& texts) {
  EventFilter filter;
  for (const std::string& text : texts) {
    const std::string_view whole = trim(text);
    const std::size_t pointer_end = std::min(whole.find_first_of(" \t=!<>~"), whole.size());
    std::string pointer(whole.substr(0, pointer_end));
    std::string_view rest = trim(whole.substr(pointer_end));
    if (pointer.empty()) return unreadable(text, "no pointer in front");
    if (pointer.front() != '/') pointer.insert(0, 1, '/');
    if (pointer == "/") pointer.clear();  // the whole document
    Condition condition;
    try {
      condition.pointer = json::json_pointer(pointer);
    } catch (const json::parse_error&) {
      return unreadable(text, "~ in a pointer is written ~0, and / in a name ~1");
    }
    if (rest != "exists") {
      const auto* op = std::find_if(kOps.begin(), kOps.end(), [&](const auto& known) {
        return rest.substr(0, known.first.size()) == known.first;
      });
      if (op == kOps.end()) return unreadable(text, "no operator: = != < <= > >= ~ or exists");
      condition.op = op->second;
      condition.value = value_of(trim(rest.substr(op->first.size())));
    }
    filter.conditions_.push_back(std::move(condition));
  }
  return filter;
}

bool EventFilter::empty() const {
  return conditions_.empty();
}

bool EventFilter::matches(std::string_view data) const {
  if (conditions_.empty()) return true;
  const json document = json::parse(data, nullptr, false);
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    const bool there = !document.is_discarded() && document.contains(condition.pointer);
    if (!there) return condition.op == Op::unequal;
    return holds(document.at(condition.pointer), condition.op, condition.value);
  });
}

}  // namespace rt::rtctl
