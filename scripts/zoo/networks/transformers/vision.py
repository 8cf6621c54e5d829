"""Networks of transformers that see: classes, boxes, depth, segments, video."""

from entry import DYNAMO, NEWEST, Entry, Input

from networks.transformers.small import SIZES, STAGES, pixels, small

PATCHES = {"image_size": 64, "patch_size": 16, **SIZES}
CLASSES = {"num_labels": 10, **PATCHES}
WINDOWS = {"image_size": 64, "patch_size": 4, "embed_dim": 24, "window_size": 4}
SHALLOW = {"depths": [2, 2], "num_heads": [2, 4], "num_labels": 10, **WINDOWS}
BACKBONE = {
    "depths": [1, 1, 1, 1],
    "num_heads": [2, 2, 2, 2],
    "out_features": [f"stage{n}" for n in (1, 2, 3, 4)],
    **WINDOWS,
}
QUERIES = {"encoder_attention_heads": 4, "decoder_attention_heads": 4, "num_queries": 10}
VIDEO = {"image_size": 32, "patch_size": 16, "num_frames": 4, "num_labels": 5, **SIZES}
DINO = {"image_size": 56, "patch_size": 14, "hidden_size": 64, "num_attention_heads": 4}
SAM_EYES = {
    "hidden_size": 64,
    "output_channels": 32,
    "num_attention_heads": 4,
    "image_size": 128,
    "patch_size": 16,
    "window_size": 4,
    "mlp_dim": 128,
}


def entries() -> list[Entry]:
    frames = Input("pixel_values", (4, 3, 32, 32))
    return [entry for family in (_classifiers(), _towers(), _boxes(), _segments(), _video(frames)) for entry in family]


def _classifiers() -> list[Entry]:
    image = pixels()
    levit = {"hidden_sizes": [32, 48, 64], "num_attention_heads": [2, 3, 4], "depths": [1, 1, 1], "key_dim": [8, 8, 8]}
    scaled = {"width_coefficient": 0.3, "depth_coefficient": 0.3, "hidden_dim": 384}
    return [
        *small("vit", "ViTForImageClassification", lambda t: t.ViTConfig(**CLASSES), image, "logits", eager=True),
        *small("deit", "DeiTForImageClassificationWithTeacher", lambda t: t.DeiTConfig(**CLASSES), image, "logits"),
        *small("beit", "BeitForImageClassification", lambda t: t.BeitConfig(use_relative_position_bias=True, **CLASSES), image, "logits"),
        *small("convnextv2", "ConvNextV2ForImageClassification",
               lambda t: t.ConvNextV2Config(depths=[1, 1, 2, 1], hidden_sizes=[16, 32, 64, 128], num_labels=10), image, "logits"),
        *small("mobilevit", "MobileViTForImageClassification", lambda t: t.MobileViTConfig(num_labels=10, image_size=64), image, "logits"),
        *small("mobilevitv2", "MobileViTV2ForImageClassification", lambda t: t.MobileViTV2Config(num_labels=10, image_size=64), image, "logits",
               exporters=(DYNAMO, NEWEST)),
        *small("swin", "SwinForImageClassification", lambda t: t.SwinConfig(**SHALLOW), image, "logits", eager=True),
        *small("swinv2", "Swinv2ForImageClassification", lambda t: t.Swinv2Config(**SHALLOW), image, "logits"),
        *small("resnet_hf", "ResNetForImageClassification", lambda t: t.ResNetConfig(embedding_size=16, num_labels=10, **STAGES), image, "logits"),
        *small("regnet_hf", "RegNetForImageClassification",
               lambda t: t.RegNetConfig(embedding_size=16, groups_width=16, num_labels=10, **STAGES), image, "logits"),
        *small("efficientnet_hf", "EfficientNetForImageClassification",
               lambda t: t.EfficientNetConfig(image_size=64, num_labels=10, **scaled), image, "logits"),
        *small("cvt", "CvtForImageClassification",
               lambda t: t.CvtConfig(embed_dim=[16, 32, 48], depth=[1, 2, 3], num_heads=[1, 2, 3], num_labels=10), image, "logits"),
        *small("pvt", "PvtV2ForImageClassification",
               lambda t: t.PvtV2Config(image_size=64, num_attention_heads=[1, 2, 3, 4], num_labels=10, **STAGES), image, "logits"),
        *small("levit_hf", "LevitForImageClassification", lambda t: t.LevitConfig(image_size=64, num_labels=10, **levit), image, "logits"),
    ]  # fmt: skip


def _towers() -> list[Entry]:
    """What others build on: features, depth."""

    def depth_anything(t):
        eyes = t.Dinov2Config(
            num_hidden_layers=4, out_indices=[1, 2, 3, 4], reshape_hidden_states=False, apply_layernorm=True, **DINO
        )
        necks = {"reassemble_hidden_size": 64, "neck_hidden_sizes": [16, 32, 48, 64], "fusion_hidden_size": 32}
        return t.DepthAnythingConfig(backbone_config=eyes, patch_size=14, **necks)

    dpt = {**PATCHES, "num_hidden_layers": 4, "backbone_out_indices": [0, 1, 2, 3]}
    necks = {"neck_hidden_sizes": [16, 32, 48, 64], "fusion_hidden_size": 32}
    image = pixels()
    return [
        *small("dinov2", "Dinov2Model", lambda t: t.Dinov2Config(num_hidden_layers=2, **DINO), pixels(84), ("last_hidden_state", "pooler_output")),
        *small("dinov3", "DINOv3ViTModel", lambda t: t.DINOv3ViTConfig(**PATCHES), image),
        *small("dpt", "DPTForDepthEstimation", lambda t: t.DPTConfig(**dpt, **necks), image, "predicted_depth"),
        *small("depthanything", "DepthAnythingForDepthEstimation", depth_anything, pixels(70), "predicted_depth"),
        *small("clip_vision", "CLIPVisionModelWithProjection", lambda t: t.CLIPVisionConfig(projection_dim=32, **PATCHES), image, "image_embeds"),
        *small("siglip_vision", "SiglipVisionModel", lambda t: t.SiglipVisionConfig(**PATCHES), image, "pooler_output", eager=True),
        *small("owlvit_vision", "OwlViTVisionModel", lambda t: t.OwlViTVisionConfig(**PATCHES), image),
    ]  # fmt: skip


def _boxes() -> list[Entry]:
    def detr(t):
        eyes = t.ResNetConfig(embedding_size=16, out_features=["stage4"], **STAGES)
        sizes = {
            "d_model": 64,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_ffn_dim": 128,
            "decoder_ffn_dim": 128,
        }
        return t.DetrConfig(use_timm_backbone=False, backbone=None, use_pretrained_backbone=False, backbone_config=eyes,
                            num_labels=5, **sizes, **QUERIES)  # fmt: skip

    def rtdetr(t):
        eyes = t.RTDetrResNetConfig(
            embedding_size=16, layer_type="basic", out_features=["stage2", "stage3", "stage4"], **STAGES
        )
        encoder = {
            "encoder_hidden_dim": 64,
            "encoder_in_channels": [32, 48, 64],
            "encoder_ffn_dim": 128,
            "encoder_attention_heads": 4,
        }
        decoder = {
            "decoder_in_channels": [64, 64, 64],
            "decoder_ffn_dim": 128,
            "decoder_layers": 2,
            "decoder_attention_heads": 4,
        }
        return t.RTDetrConfig(backbone_config=eyes, d_model=64, num_queries=20, num_labels=5, **encoder, **decoder)

    def yolos(t):
        return t.YolosConfig(num_detection_tokens=10, num_labels=5, **{**PATCHES, "image_size": [64, 64]})

    found = ("logits", "pred_boxes")
    return [
        *small("yolos", "YolosForObjectDetection", yolos, pixels(), found),
        *small("detr", "DetrForObjectDetection", detr, pixels(), found),
        *small("rtdetr", "RTDetrForObjectDetection", rtdetr, pixels(96), found),
    ]


def _segments() -> list[Entry]:
    def mask2former(t):
        sizes = {
            "feature_size": 32,
            "mask_feature_size": 32,
            "hidden_dim": 32,
            "encoder_feedforward_dim": 64,
            "dim_feedforward": 64,
        }
        layers = {
            "num_attention_heads": 4,
            "encoder_layers": 2,
            "decoder_layers": 3,
            "num_queries": 10,
            "num_labels": 5,
        }
        return t.Mask2FormerConfig(backbone_config=t.SwinConfig(**BACKBONE), **sizes, **layers)

    def maskformer(t):
        sizes = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}
        parts = {"backbone_config": t.SwinConfig(**BACKBONE), "decoder_config": t.DetrConfig(**sizes, **QUERIES)}
        return t.MaskFormerConfig(fpn_feature_size=32, mask_feature_size=32, **parts)

    def upernet(t):
        features = [f"stage{n}" for n in (1, 2, 3, 4)]
        eyes = t.ConvNextConfig(depths=[1, 1, 1, 1], hidden_sizes=[16, 24, 32, 48], out_features=features)
        return t.UperNetConfig(backbone_config=eyes, hidden_size=32, num_labels=5, auxiliary_in_channels=32)

    def sam(t):
        eyes = t.SamVisionConfig(num_hidden_layers=1, global_attn_indexes=[0], num_pos_feats=16, **SAM_EYES)
        prompts = t.SamPromptEncoderConfig(hidden_size=32, image_size=128, patch_size=16)
        mask = t.SamMaskDecoderConfig(hidden_size=32, mlp_dim=64, num_attention_heads=4, iou_head_hidden_dim=32)
        return t.SamConfig(vision_config=eyes, prompt_encoder_config=prompts, mask_decoder_config=mask)

    def masks_at(network, image, points):
        given = network(
            image_embeddings=image,
            input_points=points,
            input_labels=points[..., 0].int() * 0 + 1,
            multimask_output=True,
        )
        return [given.pred_masks, given.iou_scores]

    image, both = pixels(), ("class_queries_logits", "masks_queries_logits")
    segformer = {"num_labels": 10, "decoder_hidden_size": 64, **STAGES}
    points = (Input("image_embeddings", (32, 8, 8)), Input("input_points", (1, 2, 2), "unit"))
    return [
        *small("segformer", "SegformerForSemanticSegmentation", lambda t: t.SegformerConfig(**segformer), image, "logits"),
        *small("upernet", "UperNetForSemanticSegmentation", upernet, image, "logits", exporters=(DYNAMO, NEWEST)),
        *small("mask2former", "Mask2FormerForUniversalSegmentation", mask2former, image, both),
        *small("maskformer", "MaskFormerForInstanceSegmentation", maskformer, image, both),
        *small("sam_encoder", "SamVisionModel", lambda t: t.SamVisionConfig(num_hidden_layers=2, global_attn_indexes=[1], **SAM_EYES), pixels(128)),
        *small("sam_decoder", "SamModel", sam, points, pick=masks_at),
    ]  # fmt: skip


def _video(frames: Input) -> list[Entry]:
    return [
        *small(
            "timesformer", "TimesformerForVideoClassification", lambda t: t.TimesformerConfig(**VIDEO), frames, "logits"
        ),
        *small("videomae", "VideoMAEForVideoClassification", lambda t: t.VideoMAEConfig(**VIDEO), frames, "logits"),
    ]
