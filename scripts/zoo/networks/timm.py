"""Networks of timm, each with the length of its image's sides."""

from entry import DYNAMO, OLDER, Entry, Input

NETWORKS = {
    "caformer_s18": 64, "cait_xxs24_224": 224, "coat_tiny": 224, "coatnet_nano_rw_224": 224, "convformer_s18": 64,
    "convmixer_768_32": 64, "crossvit_tiny_240": 240, "cs3darknet_s": 64, "cspdarknet53": 64, "darknet53": 64,
    "davit_tiny": 64, "deit3_small_patch16_224": 224, "dla34": 64, "dpn48b": 64, "eca_nfnet_l0": 64, "ecaresnet26t": 64,
    "edgenext_xx_small": 64, "efficientvit_b0": 64, "efficientvit_m0": 224, "ese_vovnet19b_dw": 64, "fastvit_t8": 64,
    "fbnetc_100": 64, "focalnet_tiny_srf": 64, "gcvit_xxtiny": 224, "gernet_s": 64, "ghostnet_100": 64, "ghostnetv2_100": 64,
    "gmlp_s16_224": 224, "halonet26t": 256, "hardcorenas_a": 64, "hgnetv2_b0": 64, "hiera_tiny_224": 224, "hrnet_w18_small": 64,
    "inception_next_atto": 64, "botnet26t_256": 256, "bat_resnext26ts": 256, "lambda_resnet26t": 256, "lcnet_050": 64,
    "legacy_seresnet18": 64, "levit_128s": 224, "mambaout_femto": 64, "mixer_s32_224": 224, "mnasnet_small": 64,
    "mobilenetv4_conv_small": 64, "mobilenetv4_hybrid_medium": 64, "mobileone_s0": 64, "nextvit_small": 64, "nf_regnet_b0": 64,
    "pit_ti_224": 224, "poolformer_s12": 64, "pvt_v2_b0": 64, "regnetz_b16": 64, "repvgg_a0": 64, "repvit_m0_9": 64,
    "res2net50_26w_4s": 64, "resmlp_12_224": 224, "resnest14d": 64, "resnet10t": 64, "resnetblur18": 64, "resnetv2_50x1_bit": 64,
    "rexnet_100": 64, "selecsls42b": 64, "seresnext26t_32x4d": 64, "shvit_s1": 64, "skresnet18": 64, "spnasnet_100": 64,
    "starnet_s1": 64, "swiftformer_xs": 224, "test_byobnet": 64, "test_vit": 160, "tf_efficientnet_lite0": 64,
    "tf_efficientnetv2_b0": 64, "tiny_vit_5m_224": 224, "tinynet_e": 64, "twins_pcpvt_small": 64, "visformer_tiny": 224,
    "vovnet39a": 64, "xcit_nano_12_p16_224": 224,
}  # fmt: skip
#: Those that the exporter on torch.export is tried with too.
BOTH = {
    "coatnet_nano_rw_224", "edgenext_xx_small", "fastvit_t8", "ghostnet_100", "levit_128s", "mobilenetv4_conv_small",
    "repvit_m0_9", "skresnet18", "test_byobnet", "test_vit", "xcit_nano_12_p16_224",
}  # fmt: skip
#: Those that the older exporter cannot write.
NEWER = {"bat_resnext26ts", "halonet26t"}


def entries() -> list[Entry]:
    return [_entry(name, side) for name, side in NETWORKS.items()]


def _entry(name: str, side: int) -> Entry:
    def build():
        import timm

        return timm.create_model(name, pretrained=False, num_classes=10, exportable=True)

    exporters = (DYNAMO,) if name in NEWER else (OLDER, DYNAMO) if name in BOTH else (OLDER,)
    return Entry(f"timm_{name}", (Input("image", (3, side, side)),), build, exporters)
