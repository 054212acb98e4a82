"""Fine-tune a language model in 4 bits with LoRA, by the libraries of Hugging Face.

Needs `pip install transformers peft bitsandbytes datasets accelerate` and a GPU.
"""

import torch
from datasets import load_dataset
from peft import LoraConfig, TaskType, get_peft_model, prepare_model_for_kbit_training
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
)

MODEL = "meta-llama/Llama-3.2-1B"


def build_model():
    quantization = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    model = AutoModelForCausalLM.from_pretrained(MODEL, quantization_config=quantization)
    model = prepare_model_for_kbit_training(model)
    config = LoraConfig(
        r=64,
        lora_alpha=8,
        lora_dropout=0.05,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj"],
        bias="none",
        task_type=TaskType.CAUSAL_LM,
    )
    model = get_peft_model(model, config)
    model.print_trainable_parameters()
    return model


def main() -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    tokenizer.pad_token = tokenizer.eos_token
    dataset = load_dataset("wikitext", "wikitext-2-raw-v1", split="train")
    dataset = dataset.filter(lambda row: len(row["text"]) > 0)
    dataset = dataset.map(
        lambda rows: tokenizer(rows["text"], truncation=True, max_length=512),
        batched=True,
        remove_columns=dataset.column_names,
    )
    arguments = TrainingArguments(
        output_dir="out",
        learning_rate=2e-4,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=4,
        num_train_epochs=1,
        bf16=True,
        logging_steps=10,
    )
    trainer = Trainer(
        model=build_model(),
        args=arguments,
        train_dataset=dataset,
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
    )
    trainer.train()
    trainer.model.save_pretrained("out/adapter")


if __name__ == "__main__":
    main()
