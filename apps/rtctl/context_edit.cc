#include "rtctl/context_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace rt::rtctl {
namespace {

using Json = nlohmann::ordered_json;

Result<Json> parse(std::string_view text) {
  if (trim(text).empty()) return Json::object();
  Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_object()) return document;
  const bool only_comments =
      Json::parse(text, nullptr, /*allow_exceptions=*/false, /*ignore_comments=*/true).is_object();
  return fail(Code::usage,
              only_comments
                  ? "cannot change the settings file: it has comments, which would be lost"
                  : "cannot change the settings file: it is not a JSON object",
              "edit it by hand; \"rtctl config path\" says where it is");
}

std::string written(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Error no_context(const Json& document, const std::string& name) {
  std::vector<std::string> names;
  if (document.contains("contexts")) {
    for (const auto& item : document["contexts"].items()) names.push_back(item.key());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto near = nearest(name, views);
  return Error{Code::usage, fmt::format("there is no context \"{}\"", name),
               near ? fmt::format("did you mean \"{}\"?", *near)
                    : fmt::format("make it with \"rtctl ctx set {} url=...\"", name)};
}

std::string text_of(const Json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<void> check_name(const std::string& name) {
  const bool plain =
      !name.empty() && name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
      });
  if (plain) return {};
  return fail(Code::usage, fmt::format("\"{}\" is no name for a context", name),
              "use letters, digits, - _ and .");
}

// One assignment; `fresh` are the keys that this command has set already.
Result<void> assign(Json& context, const std::string& assignment, std::set<std::string>& fresh) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(Code::usage, fmt::format("\"{}\" has no \"key=value\" form", assignment),
                "for example: rtctl ctx set prod url=https://rt.example token_file=/run/token");
  }
  const std::string path = assignment.substr(0, equals);
  const std::string value = assignment.substr(equals + 1);
  Json* at = &context;
  const std::vector<std::string_view> steps = split(path, '.');
  // "http1.1" is one key with a dot in it.
  const bool steps_in = path != "http1.1";
  for (std::size_t i = 0; steps_in && i + 1 < steps.size(); ++i) {
    at = &(*at)[std::string(steps[i])];
    if (!at->is_object()) *at = Json::object();
  }
  const std::string key = steps_in ? std::string(steps.back()) : path;
  if (value.empty()) {
    at->erase(key);
  } else if (!fresh.insert(path).second) {
    Json& list = (*at)[key];
    if (!list.is_array()) list = Json::array({list});
    list.push_back(value);
  } else {
    (*at)[key] = value;
  }
  return {};
}

}  // namespace

Result<std::string> set_context(std::string_view text, const std::string& name,
                                const std::vector<std::string>& assignments) {
  RT_CHECKED(check_name(name));
  Json document = RT_TRY(parse(text));
  Json& contexts = document["contexts"];
  if (!contexts.is_object()) contexts = Json::object();
  if (contexts.empty() && text_of(document, "context").empty()) document["context"] = name;
  Json& context = document["contexts"][name];
  if (!context.is_object()) context = Json::object();
  std::set<std::string> fresh;
  for (const std::string& assignment : assignments) RT_CHECKED(assign(context, assignment, fresh));
  return written(document);
}

Result<std::string> use_context(std::string_view text, const std::string& name) {
  Json document = RT_TRY(parse(text));
  const std::string wanted = name == "-" ? text_of(document, "previous_context") : name;
  if (wanted.empty()) return fail(Code::usage, "there is no context to go back to");
  if (!document.contains("contexts") || !document["contexts"].contains(wanted)) {
    return fail(no_context(document, wanted));
  }
  const std::string left = text_of(document, "context");
  if (left != wanted && !left.empty()) document["previous_context"] = left;
  document["context"] = wanted;
  return written(document);
}

Result<std::string> remove_context(std::string_view text, const std::string& name) {
  Json document = RT_TRY(parse(text));
  if (!document.contains("contexts") || document["contexts"].erase(name) == 0) {
    return fail(no_context(document, name));
  }
  for (const char* key : {"context", "previous_context"}) {
    if (text_of(document, key) == name) document.erase(key);
  }
  return written(document);
}

}  // namespace rt::rtctl
