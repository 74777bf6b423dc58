#include "rtctl/event_template.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "base/units.h"

namespace rt::rtctl {
namespace {

using nlohmann::json;

char escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    default:
      return c;
  }
}

void append_at(std::string& out, const json& document, const std::string& pointer) {
  const json::json_pointer at(pointer);
  if (document.is_discarded() || !document.contains(at)) return;
  const json& value = document.at(at);
  out.append(value.is_string() ? value.get<std::string>() : value.dump());
}

void append_ms(std::string& out, const std::optional<double>& ms) {
  if (ms) fmt::format_to(std::back_inserter(out), "{:.3f}", *ms);
}

}  // namespace

Result<EventTemplate::Part> EventTemplate::field_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Field>, 9> kFields = {
      {{"recv", Field::recv},
       {"ts", Field::recv},
       {"id", Field::id},
       {"event", Field::event},
       {"topic", Field::topic},
       {"data", Field::data},
       {"n", Field::n},
       {"lat_ms", Field::latency},
       {"delta_ms", Field::delta}}};
  std::vector<std::string_view> names;
  for (const auto& [known, field] : kFields) {
    if (known == name) return Part{field, {}};
    names.push_back(known);
  }
  if (!name.empty() && name.front() == '/') {
    try {
      (void)json::json_pointer(std::string(name));
      return Part{Field::pointer, std::string(name)};
    } catch (const json::parse_error&) {
      return fail(Code::usage, fmt::format("template: \"{}\" is no JSON pointer", name),
                  "~ in a pointer is written ~0, and / in a name ~1");
    }
  }
  const auto near = nearest(name, names);
  return fail(Code::usage, fmt::format("template: no field \"{}\"", name),
              near ? fmt::format("did you mean {{{}}}?", *near)
                   : "fields are {recv} {id} {event} {topic} {data} {n} {lat_ms} {delta_ms} "
                     "{/pointer}; a brace is {{");
}

Result<EventTemplate> EventTemplate::parse(std::string_view text) {
  EventTemplate made;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) made.parts_.push_back({Field::text, std::exchange(literal, {})});
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool doubled = i + 1 < text.size() && text[i + 1] == c;
    if (c == '\\' && i + 1 < text.size()) {
      literal.push_back(escaped(text[++i]));
    } else if ((c == '{' || c == '}') && doubled) {
      literal.push_back(c);
      ++i;
    } else if (c == '{') {
      const std::size_t close = text.find('}', i);
      if (close == std::string_view::npos) {
        return fail(Code::usage, "template: a { without its }", "a brace itself is written {{");
      }
      end_literal();
      made.parts_.push_back(RT_TRY(field_of(text.substr(i + 1, close - i - 1))));
      made.needs_json_ = made.needs_json_ || made.parts_.back().field == Field::pointer;
      made.needs_latency_ = made.needs_latency_ || made.parts_.back().field == Field::latency;
      i = close;
    } else {
      literal.push_back(c);
    }
  }
  end_literal();
  return made;
}

void EventTemplate::append(std::string& out, const ShownEvent& event, std::uint64_t n) const {
  const json document =
      needs_json_ ? json::parse(event.data, nullptr, false) : json(json::value_t::discarded);
  for (const Part& part : parts_) {
    switch (part.field) {
      case Field::text:
        out.append(part.text);
        break;
      case Field::recv:
        out.append(format_rfc3339(event.received));
        break;
      case Field::id:
        out.append(event.id);
        break;
      case Field::event:
        out.append(event.event);
        break;
      case Field::topic:
        out.append(event.topic);
        break;
      case Field::data:
        out.append(event.data);
        break;
      case Field::n:
        append_decimal(out, n);
        break;
      case Field::latency:
        append_ms(out, event.latency_ms);
        break;
      case Field::delta:
        append_ms(out, event.delta_ms);
        break;
      case Field::pointer:
        append_at(out, document, part.text);
        break;
    }
  }
}

}  // namespace rt::rtctl
