"""The pages, one file each; views only. (A folder named ``pages`` beside the app is Streamlit's older kind: its deep links break.)"""
