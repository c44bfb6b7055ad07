"""NGSI-LD (ETSI GS CIM 009) with the Smart Data Models."""
