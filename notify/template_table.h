// SPDX-License-Identifier: Apache-2.0
// The one table of layouts: file, the embedded text, and the variables that each is filled with (docs/templates.md).
#pragma once

#include <string_view>
#include <vector>

namespace sealpost {

struct TemplateRow {
  std::string_view file;
  std::string_view embedded;
  std::vector<std::string_view> values;  ///< {{name}}: plain text, escaped; also for the sentences in the layout
  std::vector<std::string_view> markup;  ///< {{{name}}}: ready-made
};

const std::vector<TemplateRow>& template_table();
/// Nothing for a name that is not in the table.
const TemplateRow* find_template(std::string_view file);

}  // namespace sealpost
