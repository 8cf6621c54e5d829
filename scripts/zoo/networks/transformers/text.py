"""Networks of transformers that read: encoders, decoders, text beside images."""

from entry import DYNAMO, NEWEST, Entry, Input

from networks.transformers.small import IDS, MASK, SIZES, WORDS, pixels, small

HIDDEN = "last_hidden_state"
CAUSAL = {"vocab_size": 200, "max_position_embeddings": 64, "num_key_value_heads": 2, "use_cache": False, **SIZES}
TEXT_TOWER = {"vocab_size": 200, "max_position_embeddings": 32, "eos_token_id": 199, **SIZES}
IMAGE_TOWER = {"image_size": 64, "patch_size": 16, **SIZES}


def entries() -> list[Entry]:
    return _encoders() + _long_encoders() + _decoders() + _beside_images()


def mean_of_words(network, ids, mask):
    """What sentence encoders do: the mean of all words that the mask has, of length 1, and the words."""
    from torch.nn.functional import normalize

    words = network(input_ids=ids, attention_mask=mask).last_hidden_state
    weights = mask.unsqueeze(-1).to(words.dtype)
    mean = (words * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    return [normalize(mean, dim=-1), words]


def _encoders() -> list[Entry]:
    masked = (IDS, MASK)
    kinds = Input("token_type_ids", (16,), "whole:2")
    boxes = Input("bbox", (16, 4), "rising:20")
    distil = {
        "vocab_size": 200,
        "max_position_embeddings": 64,
        "dim": 64,
        "n_layers": 2,
        "n_heads": 4,
        "hidden_dim": 128,
    }
    return [
        *small("bert_pooled", "BertModel", lambda t: t.BertConfig(**WORDS), masked, pick=mean_of_words, eager=True),
        *small("bert_classes", "BertForSequenceClassification", lambda t: t.BertConfig(**WORDS), (IDS, MASK, kinds), "logits", eager=True),
        *small("bert_unmasked", "BertModel", lambda t: t.BertConfig(**WORDS), IDS, (HIDDEN, "pooler_output")),
        *small("distilbert", "DistilBertForSequenceClassification", lambda t: t.DistilBertConfig(**distil), masked, "logits", eager=True),
        *small("roberta", "RobertaModel", lambda t: t.RobertaConfig(**WORDS), masked, eager=True),
        *small("mpnet", "MPNetModel", lambda t: t.MPNetConfig(**WORDS), masked),
        *small("albert", "AlbertModel", lambda t: t.AlbertConfig(embedding_size=32, **WORDS), masked, eager=True),
        *small("electra", "ElectraModel", lambda t: t.ElectraConfig(embedding_size=32, **WORDS), masked),
        *small("layoutlm", "LayoutLMModel", lambda t: t.LayoutLMConfig(max_2d_position_embeddings=128, **WORDS), (IDS, boxes, MASK)),
    ]  # fmt: skip


def _long_encoders() -> list[Entry]:
    """Encoders whose attention is of another kind."""
    masked = (IDS, MASK)
    deberta = {
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
    }
    t5 = {"vocab_size": 200, "d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4}
    without_heads = {name: value for name, value in WORDS.items() if name != "num_attention_heads"}
    return [
        *small("debertav2", "DebertaV2Model", lambda t: t.DebertaV2Config(**deberta, **WORDS), masked),
        *small("modernbert", "ModernBertModel", lambda t: t.ModernBertConfig(pad_token_id=0, local_attention=8, **WORDS), masked, eager=True),
        *small("t5_encoder", "T5EncoderModel", lambda t: t.T5Config(**t5), masked),
        *small("fnet", "FNetModel", lambda t: t.FNetConfig(**without_heads), IDS, exporters=(DYNAMO, NEWEST)),
    ]  # fmt: skip


def _decoders() -> list[Entry]:
    gpt2 = {"vocab_size": 200, "n_positions": 64, "n_embd": 64, "n_layer": 2, "n_head": 4, "use_cache": False}
    mamba = {"vocab_size": 200, "hidden_size": 32, "num_hidden_layers": 1, "state_size": 4, "use_cache": False}
    return [
        *small("gpt2", "GPT2LMHeadModel", lambda t: t.GPT2Config(**gpt2), (IDS, MASK), "logits", eager=True),
        *small(
            "gpt2_unmasked",
            "GPT2LMHeadModel",
            lambda t: t.GPT2Config(**gpt2),
            IDS,
            "logits",
            exporters=(DYNAMO, NEWEST),
        ),
        *small("qwen2", "Qwen2ForCausalLM", lambda t: t.Qwen2Config(**CAUSAL), (IDS, MASK), "logits", eager=True),
        *small(
            "llama", "LlamaForCausalLM", lambda t: t.LlamaConfig(**CAUSAL), IDS, "logits", exporters=(DYNAMO, NEWEST)
        ),
        *small("mamba", "MambaModel", lambda t: t.MambaConfig(**mamba), Input("input_ids", (8,), "ids:200")),
    ]


def _beside_images() -> list[Entry]:
    def clip(t):
        return t.CLIPConfig(vision_config=IMAGE_TOWER, text_config=TEXT_TOWER, projection_dim=32)

    siglip = {"vocab_size": 200, "max_position_embeddings": 16, **SIZES}
    both = ("logits_per_image", "text_embeds", "image_embeds")
    return [
        *small(
            "clip_text",
            "CLIPTextModelWithProjection",
            lambda t: t.CLIPTextConfig(projection_dim=32, **TEXT_TOWER),
            (IDS, MASK),
            "text_embeds",
        ),
        *small("clip", "CLIPModel", clip, (IDS, pixels(), MASK), both, eager=True),
        *small("siglip_text", "SiglipTextModel", lambda t: t.SiglipTextConfig(**siglip), IDS, "pooler_output"),
    ]
