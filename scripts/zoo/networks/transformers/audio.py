"""Networks of transformers for what varies in time: speech, sounds, series."""

from entry import DYNAMO, NEWEST, Entry, Input

from networks.transformers.small import SIZES, small

SPEECH = {"conv_dim": (32,) * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4, **SIZES}
LAYERED = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
WHISPER = {
    "d_model": 64, "encoder_layers": 2, "decoder_layers": 1, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 128, "decoder_ffn_dim": 128, "max_source_positions": 100, "vocab_size": 300, "pad_token_id": 0,
    "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 3,
}  # fmt: skip
SERIES = {
    "num_input_channels": 2, "context_length": 32, "patch_length": 8, "patch_stride": 8, "prediction_length": 8,
    "d_model": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "ffn_dim": 64,
}  # fmt: skip


def entries() -> list[Entry]:
    def heard(network, features):
        return [network.encoder(features).last_hidden_state]

    samples = Input("input_values", (4000,))
    spectrum = Input("input_values", (64, 32))
    sounds = {"patch_size": 16, "max_length": 64, "num_mel_bins": 32, "num_labels": 10, **SIZES}
    past = Input("past_values", (32, 2))
    return [
        *small("whisper_encoder", "WhisperModel", lambda t: t.WhisperConfig(**WHISPER), Input("input_features", (80, 200)), pick=heard),
        *small("wav2vec2", "Wav2Vec2Model", lambda t: t.Wav2Vec2Config(vocab_size=40, **SPEECH), samples),
        *small("wav2vec2_ctc", "Wav2Vec2ForCTC", lambda t: t.Wav2Vec2Config(vocab_size=40, **SPEECH, **LAYERED), samples, "logits"),
        *small("hubert", "HubertModel", lambda t: t.HubertConfig(**SPEECH), samples),
        *small("ast", "ASTForAudioClassification", lambda t: t.ASTConfig(**sounds), spectrum, "logits"),
        *small("patchtst", "PatchTSTForPrediction", lambda t: t.PatchTSTConfig(**SERIES), past, "prediction_outputs",
               exporters=(DYNAMO, NEWEST)),
    ]  # fmt: skip
