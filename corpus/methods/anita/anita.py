from typing import Any

LLAMA_LINEARS = (
    *("q_proj", "k_proj", "v_proj", "o_proj"),
    *("gate_proj", "up_proj", "down_proj"),
)


def anita_sft_recipe() -> "dict[str, dict[str, Any]]":
    """The QLoRA settings of LLaMAntino-3-ANITA's tuning (Polignano et al., 2024, arXiv:2405.07101).

    Keyword arguments by class: BitsAndBytesConfig, LoraConfig and TrainingArguments, and in
    "SFTConfig" what only that class takes.
    """
    return {
        "BitsAndBytesConfig": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
        "LoraConfig": {
            "r": 16,
            "lora_alpha": 8,
            "lora_dropout": 0.0,
            "use_rslora": False,
            "target_modules": list(LLAMA_LINEARS),
            "task_type": "CAUSAL_LM",
        },
        "TrainingArguments": {
            "learning_rate": 2e-4,
            "lr_scheduler_type": "linear",
            "warmup_steps": 100,
            "num_train_epochs": 1,
            "per_device_train_batch_size": 16,
            "gradient_accumulation_steps": 8,
            "optim": "paged_adamw_8bit",
            "weight_decay": 0.01,
        },
        "SFTConfig": {"max_seq_length": 8192},
    }


def anita_dpo_recipe() -> "dict[str, dict[str, Any]]":
    """The settings of LLaMAntino-3-ANITA's preference step (Polignano et al., 2024).

    Keyword arguments by class (arXiv:2405.07101); the reference is the model without its update,
    and the update is scaled by alpha / sqrt(r) = 2.
    """
    return {
        "BitsAndBytesConfig": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
        "LoraConfig": {
            "r": 64,
            "lora_alpha": 16,
            "lora_dropout": 0.0,
            "use_rslora": True,
            "target_modules": list(LLAMA_LINEARS),
            "task_type": "CAUSAL_LM",
        },
        "DPOConfig": {
            "beta": 0.1,
            "learning_rate": 5e-5,
            "warmup_ratio": 0.1,
            "num_train_epochs": 1,
            "per_device_train_batch_size": 8,
            "gradient_accumulation_steps": 12,
            "max_length": 1024,
            "max_prompt_length": 512,
        },
    }
