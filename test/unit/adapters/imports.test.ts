import { test } from "node:test";
import { checkInsertion, source, type Surroundings } from "./check";

const lora = source("lora/lora.py", "LoRALinear");

const head = (layer: string): string => `class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = ${layer}
`;

/** What stands above a class before and after LoRA goes into it. */
function checkTop(
  before: string,
  after: string,
  { name = "LoRALinear", ...surroundings }: Surroundings & { readonly name?: string } = {},
): Promise<void> {
  return checkInsertion(
    `${before}\n\n\n${head("nn.Linear(16, 8)").replace("self.head", "self.he|ad")}`,
    "Adapt `head` with LoRA (192 trainable)",
    `${after}\n\n\n${head(`${name}(16, 8, rank=8, alpha=16)`)}`,
    surroundings,
  );
}

test("a name joins the import of its module, in its order", () =>
  checkTop(
    "from torch import device, nn  # PyTorch",
    `import math\n\nimport torch\nfrom torch import Tensor, device, nn  # PyTorch\n\n\n${lora}`,
  ));

test("a name that comes after all others joins them at the end", () =>
  checkTop(
    "import math\nimport torch\nfrom torch import Size as S, functional as F, nn as tnn\nnn = tnn".replace(
      "\nnn = tnn",
      "\nfrom torch import nn",
    ),
    `import math\nimport torch\nfrom torch import Size as S, functional as F, nn as tnn\nfrom torch import nn\n\n\n${lora
      .replaceAll("Tensor", "torch.Tensor")
      .replaceAll(/\bnn\./g, "tnn.")
      .replace("`tnn.Linear`", "`nn.Linear`")}`,
  ));

test("names in brackets get lines of their own, comments stay with theirs", () =>
  checkTop(
    `import math
import torch.nn as layers
from torch import (
    device,  # where
    nn,  # what
)`,
    `import math
import torch
import torch.nn as layers
from torch import (
    Tensor,
    device,  # where
    nn,  # what
)


${lora.replaceAll(/\bnn\./g, "layers.").replace("`layers.Linear`", "`nn.Linear`")}`,
  ));

test("names that are in no order get theirs at the end", () =>
  checkTop(
    "import math\nfrom torch import nn, device",
    `import math\nimport torch\nfrom torch import nn, device, Tensor\n\n\n${lora}`,
  ));

test("imports under TYPE_CHECKING are for the type checker alone", () =>
  checkTop(
    `import math
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor`,
    `import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from torch import Tensor


${lora}`,
  ));

test("what a try or an if imports is used", () =>
  checkTop(
    `import math

try:
    import torch
    from torch import nn
except ImportError:
    pass`,
    `import math

try:
    import torch
    from torch import nn
except ImportError:
    pass


${lora.replaceAll("Tensor", "torch.Tensor")}`,
  ));

test("licence, encoding, docstring and __future__ stay above", () =>
  checkTop(
    `#!/usr/bin/env python
# -*- coding: utf-8 -*-
# Copyright of ours
'''A head.'''
from __future__ import annotations

from torch import nn`,
    `#!/usr/bin/env python
# -*- coding: utf-8 -*-
# Copyright of ours
'''A head.'''
from __future__ import annotations

import math

import torch
from torch import Tensor, nn


${lora
  .replace(/: "(torch\..* None)"/g, ": $1")
  .replaceAll('"""', "'''")
  .replaceAll(/(?<!f)"(\w*)"/g, "'$1'")}`,
  ));

test("each import goes to its group", () =>
  checkTop(
    `import json
import random
from pathlib import Path

import numpy as np
from einops import rearrange
from torch import nn
from transformers import AutoModel

from .layers import Norm`,
    `import json
import math
import random
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn
from transformers import AutoModel

from .layers import Norm


${lora}`,
  ));

const unbin = source("llmtune/llmtune.py", "unbin_config", true);

test("a file that takes its types from typing takes another from there", () =>
  checkInsertion(
    `from typing import Any, Optional

import torch

x: Optional[Any] = None
|
`,
    "Add `unbin_config` (LLMTune) to this file",
    `from typing import Any, Mapping, Optional

import torch

x: Optional[Any] = None



${unbin}
`,
  ));

test("a file that may be for an older Python keeps annotations that one cannot evaluate in quotes", () =>
  checkTop(
    `import math
from typing import Optional

import torch
from torch import Tensor, nn


def run(model: nn.Module, x: Optional[Tensor] = None): ...`,
    `import math
from typing import Optional

import torch
from torch import Tensor, nn


def run(model: nn.Module, x: Optional[Tensor] = None): ...


${source("lora/lora.py", "LoRALinear", true)}`,
  ));

const imports = "import math\n\nimport torch\nfrom torch import Tensor, nn";
const second = lora.replace("class LoRALinear(", "class LoRALinear2(");

for (const [what, own] of Object.entries({
  "a library's": "from loralib import Linear as LoRALinear",
  "another module's": "from .lora import LoRALinear",
  "a variable": "LoRALinear = nn.Linear",
  "the one of a branch": "if torch.cuda.is_available():\n\n    class LoRALinear(nn.Linear):\n        pass",
  "a function's parameter": "def build(LoRALinear=None):\n    return LoRALinear",
}))
  test(`ours takes another name beside ${what}`, () => {
    const isImport = own.startsWith("from");
    const top = isImport ? `${imports}\n${own}` : `${imports}\n\n\n${own}`;
    return checkTop(top, `${top}\n\n\n${second}`, { name: "LoRALinear2" });
  });

test("ours that the user has worked on is used as long as it is called the same", () => {
  const edited = lora.replace("self.scale = alpha / rank", "self.scale = alpha / rank**0.5");
  return checkTop(`${imports}\n\n\n${edited}`, `${imports}\n\n\n${edited}`);
});

test("ours that has lost a parameter is called no more", () => {
  const edited = lora.replace("        alpha: float = 16.0,\n", "");
  return checkTop(`${imports}\n\n\n${edited}`, `${imports}\n\n\n${edited}\n\n\n${second}`, {
    name: "LoRALinear2",
  });
});

test("a class of another module that is ours is used", () =>
  checkTop(
    `${imports}\nfrom .adapters import LoRALinear as Low`,
    `${imports}\nfrom .adapters import LoRALinear as Low`,
    {
      name: "Low",
      files: { "file:///project/adapters.py": `${imports}\n\n\n${lora}\n` },
    },
  ));

test("an import of a function's own hides no module", () =>
  checkTop(
    "import torch\nfrom torch import Tensor, nn\n\n\ndef area(r):\n    import math\n\n    return math.pi * r",
    `import math\n\nimport torch\nfrom torch import Tensor, nn\n\n\ndef area(r):\n    import math\n\n    return math.pi * r\n\n\n${lora}`,
  ));

test("a name that only the adapter used leaves its import again", () =>
  checkInsertion(
    `import json
import math

import torch
from torch import (
    Tensor,
    device,  # where
    nn,  # what
)


${lora}


${head("LoRALinear(16, 8, rank=8, alpha=16)").replace("self.head", "self.he|ad")}        self.at = device("cpu")
        json.loads("{}")
`,
    "Remove LoRA from `head`",
    `import json

from torch import (
    device,  # where
    nn,  # what
)


${head("nn.Linear(16, 8)")}        self.at = device("cpu")
        json.loads("{}")
`,
  ));

test("an adapter leaves a file of old Macintosh line breaks as it was", async () => {
  const mac = (text: string): string => text.replaceAll("\n", "\r");
  await checkInsertion(
    mac(
      `${imports}\n\n\n${lora}\n\n\n${head("LoRALinear(16, 8, rank=8, alpha=16)").replace("self.head", "self.he|ad")}`,
    ),
    "Remove LoRA from `head`",
    mac(`from torch import nn\n\n\n${head("nn.Linear(16, 8)")}`),
  );
});
