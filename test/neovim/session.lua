-- A person's session in Neovim: hover, choose a code action, undo it. Needs nothing beyond Neovim 0.7.
-- Environment: LITLENS_NODE and LITLENS_SERVER start the server, LITLENS_FILE is the Python file to open,
-- LITLENS_CONFIGURATION the YAML file.
local passed, failed = 0, 0

local function check(name, test)
  local ok, problem = pcall(test)
  if ok then
    passed = passed + 1
    io.stdout:write("  ✓ " .. name .. "\n")
  else
    failed = failed + 1
    io.stdout:write("  ✗ " .. name .. "\n    " .. tostring(problem) .. "\n")
  end
end

local function wait_for(what, condition)
  if not vim.wait(15000, condition, 20) then
    error("waited 15 s for " .. what, 2)
  end
end

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
end

local function go_to(pattern)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  assert(vim.fn.search(pattern, "cW") > 0, "the file has no " .. pattern)
end

--- Text of the floating window that `vim.lsp.buf.hover` opens.
local function floating_text()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= "" then
      local buffer = vim.api.nvim_win_get_buf(window)
      return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")
    end
  end
end

local function hover_at(pattern)
  go_to(pattern)
  vim.lsp.buf.hover()
  wait_for("a hover at " .. pattern, function()
    return floating_text() ~= nil
  end)
  local shown = floating_text()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= "" then
      vim.api.nvim_win_close(window, true)
    end
  end
  return shown
end

local function contains(whole, part)
  assert(whole:find(part, 1, true), "expected " .. part .. " in:\n" .. whole)
end

vim.cmd("edit " .. vim.fn.fnameescape(vim.env.LITLENS_FILE))
local client = vim.lsp.start_client({
  name = "litlens",
  cmd = { vim.env.LITLENS_NODE, vim.env.LITLENS_SERVER, "--stdio" },
  root_dir = vim.fn.getcwd(),
})
vim.lsp.buf_attach_client(0, client)
local before = text()

check("starts and initialises", function()
  wait_for("the server", function()
    local started = vim.lsp.get_client_by_id(client)
    return started and started.initialized
  end)
end)

check("shows a hover over LoraConfig, its formula as LaTeX", function()
  local shown = hover_at("LoraConfig(")
  contains(shown, "Low-Rank Adaptation")
  contains(shown, "2106.09685")
  assert(not shown:find("data:image", 1, true), "an image where the editor shows text:\n" .. shown)
  assert(not shown:find("command:", 1, true), "a command link that Neovim cannot follow:\n" .. shown)
end)

check("applies the LoRA action to a layer", function()
  go_to("nn.Linear")
  vim.fn.search("Linear", "cW")
  local offered
  vim.ui.select = function(items, options, choose)
    offered = {}
    for _, item in ipairs(items) do
      local title = options.format_item and options.format_item(item) or item[2].title
      table.insert(offered, title)
    end
    for index, item in ipairs(items) do
      if (item[2].kind or ""):match("%.lora$") then
        return choose(item, index)
      end
    end
    choose(nil)
  end
  vim.lsp.buf.code_action()
  wait_for("a choice of actions", function()
    return offered ~= nil
  end)
  assert(
    vim.wait(15000, function()
      return text() ~= before
    end, 20),
    "no edit came; offered were: " .. table.concat(offered, ", ")
  )
  contains(text(), "class LoRALinear(nn.Linear):")
  contains(text(), "self.query = LoRALinear(64, 64, rank=")
  contains(text(), "self.output = nn.Linear(64, 64)")
  assert(not text():find("${", 1, true), "a snippet's placeholder in the text:\n" .. text())
end)

check("hovers over the inserted class", function()
  contains(hover_at("LoRALinear(64"), "2106.09685")
end)

check("one undo gives the file back", function()
  vim.cmd("undo")
  assert(text() == before, "after undo:\n" .. text())
end)

check("explains a key of a configuration file", function()
  vim.cmd("edit! " .. vim.fn.fnameescape(vim.env.LITLENS_CONFIGURATION))
  vim.bo.filetype = "yaml"
  vim.lsp.buf_attach_client(0, client)
  contains(hover_at("adapter: qlora"), "2305.14314")
end)

check("ends the server", function()
  vim.lsp.stop_client(client)
  wait_for("the server's end", function()
    return vim.lsp.client_is_stopped(client)
  end)
end)

io.stdout:write(string.format("%d passed, %d failed\n", passed, failed))
io.stdout:flush()
vim.cmd(failed > 0 and "cquit!" or "qall!")
